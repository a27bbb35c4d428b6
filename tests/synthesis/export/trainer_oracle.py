"""What the trainers do with a record, slowly and obviously: which text is trained on, and in what order of samples.

Follows TinyLLaVA Factory's tinyllava/data/template/base.py and tinyllava/train/tinyllava_trainer.py, with one character
as one token: where labels begin and end is decided on the text, by splitting it.
"""

from dataclasses import dataclass
from typing import Any

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
TEMPLATES = {"llama": "</s>", "phi": "<|endoftext|>", "gemma": "<eos>", "qwen2_instruct": "<|im_end|>"}
SEPARATOR = " ASSISTANT: "


@dataclass(frozen=True)
class Seen:
    """A sample as the trainer has it."""

    prompt: str
    trained: list[str]  # the texts that labels are kept for, in order; empty: all masked out
    pictures: int  # <image> in the prompt


def questions_and_answers(turns: list[dict[str, str]]) -> tuple[list[str], list[str]]:
    """Part turns by position; a first turn that is not human is passed over."""
    start = 0 if turns[0]["from"] == "human" else 1
    questions = [turn["value"] for turn in turns[start::2]]
    answers = [turn["value"] for turn in turns[start + 1 :: 2]]
    assert len(questions) == len(answers), "qa is not match"
    return questions, answers


def see_instruction(record: dict[str, Any], template: str) -> Seen:
    """Return what stage 2 trains on."""
    end = TEMPLATES[template]
    prompt = SYSTEM
    for question, answer in zip(*questions_and_answers(record["conversations"]), strict=True):
        if "<image>" in question:
            question = "<image>\n" + question.replace("<image>", "").strip()
        prompt += f"USER: {question.strip() if '<image>' in question else question} ASSISTANT: {answer}{end}"
    trained, length = [], 0
    for turn in prompt.split(end):
        parts = turn.split(SEPARATOR)
        if turn == "" or len(parts) != 2:
            break
        trained.append(parts[1])
        length += len(turn) + len(end)
    return Seen(prompt, trained if length == len(prompt) else [], prompt.count("<image>"))


def see_caption(record: dict[str, Any]) -> Seen:
    """Return what stage 1 trains on: the human turn becomes a bare <image>."""
    _, answers = questions_and_answers(record["conversations"])
    prompt = "".join(f"<image>{answer}\n" for answer in answers)
    return Seen(prompt, [prompt.removeprefix("<image>")], prompt.count("<image>"))


def group_by_modality(records: list[dict[str, Any]]) -> None:
    """Fail as the sampler of stage 2 does."""
    lengths = []
    for record in records:
        words = sum(len(turn["value"].split()) for turn in record["conversations"])
        lengths.append(words if "image" in record else -words)
    assert all(lengths), "Should not have zero length."
    for side in ([n for n in lengths if n > 0], [n for n in lengths if n < 0]):
        _, _ = zip(*enumerate(side), strict=True)  # "not enough values to unpack" where a modality is absent
