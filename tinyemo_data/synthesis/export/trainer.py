"""What TinyLLaVA Factory, and LLaVA before it, do with a record: the facts that exports and their linter rest on.

Read in https://github.com/TinyLLaVA/TinyLLaVA_Factory: tinyllava/data/{dataset,template/*}.py,
tinyllava/train/tinyllava_trainer.py, scripts/train/{pretrain,finetune}.sh.
"""

from collections.abc import Sequence

IMAGE = "<image>"
HUMAN, GPT = "human", "gpt"
MODEL_MAX_LENGTH = 2048  # tokens; longer text is cut off in silence
IMAGE_TOKENS = 256  # of CLIP ViT-L/14 at 224 pixels: 16 × 16 patches
# Labels are found by splitting the rendered text at these; one too many masks the whole sample, and sleeps 5 s.
ASSISTANT = " ASSISTANT: "
ENDS = ("</s>", "<|endoftext|>", "<|im_end|>", "<eos>")  # of llama; phi and qwen2_base; qwen2_instruct; gemma
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)


def render(values: Sequence[str], stage: int) -> str:
    """Return the text of a record that is tokenised, less the picture's token: stage 1 drops the question."""
    if stage == 1:
        return f"{values[-1]}\n"
    rounds = zip(values[::2], values[1::2], strict=True)
    return SYSTEM + "".join(f"USER: {asked} ASSISTANT: {said}</s>" for asked, said in rounds)


def breaking(value: str) -> str | None:
    """Return the part of a turn's text that breaks the trainer, or None."""
    # A blank stands on both sides of a turn's text when it is rendered.
    if "ASSISTANT:" in value and ASSISTANT in f" {value} ":
        return ASSISTANT
    found = next((end for end in ENDS if end in value), None)
    if found is None and not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "half of a surrogate pair, which no tokenizer encodes"
    return found
