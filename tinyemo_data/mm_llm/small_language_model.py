"""The small language model that the demo's MM-LLM speaks with: a Llama of this package, and how such ones are made.

`language_lessons.py` taught it. It is no stand-in for a language model that was pretrained on the world's texts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tinyemo_data.mm_llm.chat import ChatFormat

NAME = "a small Llama taught on rules' sentences"
FOLDER = Path(__file__).parent / "small_language_model_weights"
PAD, START, END = "<pad>", "<s>", "</s>"
VOCABULARY = 1536  # tokens at most
CONTEXT = 1024  # tokens
WIDTH, INNER, LAYERS, HEADS = 128, 320, 3, 4
IGNORED = -100
# Muon (Jordan et al., 2024) for the layers' matrices, AdamW for the rest: half the steps of AdamW alone here.
MATRIX_RATE, OTHER_RATE, WARMUP = 0.02, 3e-3, 50

Encoded = tuple[list[int], list[int]]  # ids, and labels of what is learnt
Turns = Sequence[tuple[str, str]]


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Train a byte-level BPE that puts `<s>` before each text; any text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, min_frequency=2, special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, tokenizer.token_to_id(START))]
    )
    return tokenizer


def build(tokenizer: Tokenizer) -> Any:
    """Return a Llama with random weights for the tokenizer's vocabulary, by torch's random state."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(), hidden_size=WIDTH, intermediate_size=INNER,
            num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=HEADS,
            max_position_embeddings=CONTEXT, tie_word_embeddings=True, bos_token_id=tokenizer.token_to_id(START),
            eos_token_id=tokenizer.token_to_id(END), pad_token_id=tokenizer.token_to_id(PAD),
        )
    )  # fmt: skip


def save(model: Any, tokenizer: Tokenizer, folder: Path) -> None:
    """Write model and tokenizer to `folder` as `from_pretrained` reads them."""
    import transformers

    model.save_pretrained(folder)
    kind: Any = transformers.PreTrainedTokenizerFast
    kind(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    ).save_pretrained(folder)


def encode(conversations: Iterable[Turns], tokenizer: Tokenizer, layout: ChatFormat) -> Iterator[Encoded]:
    """Yield ids and labels of conversations; answers alone are learnt."""
    for turns in conversations:
        text, spans = layout.render(turns)
        encoding = tokenizer.encode(text, add_special_tokens=False)
        learnt = [any(start <= first < end for start, end in spans) for first, _ in encoding.offsets]
        yield encoding.ids, [token if own else IGNORED for token, own in zip(encoding.ids, learnt, strict=True)]


def teach(
    model: Any,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    steps: int,
    report: Callable[[int, float], None],
) -> None:
    """Train the model in place on (ids, labels) batches, int64 (B, T); `report` is told each step's loss."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or ".layers." not in name]
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.01),
        torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(each, lambda step: min(1, (step + 1) / WARMUP) * max(0, 1 - step / steps))
        for each in optimisers
    ]
    model.train()
    for step, (ids, labels) in enumerate(batches, start=1):
        model.zero_grad(set_to_none=True)
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            schedule.step()
        report(step, loss.item())
    model.eval()
