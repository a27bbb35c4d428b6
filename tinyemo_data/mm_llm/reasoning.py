"""Asks a trained MM-LLM about pictures, in batches: greedy answers, and the label that each of them states."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from tinyemo_data.mm_llm.chat import IMAGE, chat_format
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.device import find_device
from tinyemo_data.mm_llm.pictures import read_picture
from tinyemo_data.mm_llm.question import Question
from tinyemo_data.mm_llm.stated_label import stated_label
from tinyemo_data.progress import Meter, Report
from tinyemo_data.settings import MMLLMSettings


@dataclass(frozen=True)
class Answer:
    """What the model said to a question."""

    text: str
    label: str | None  # the option that it states; None: none, or no single one
    tokens: int  # generated, the one that ends the answer included
    is_cut: bool  # it had not ended at mm_llm.max_new_tokens


class Reasoner:
    """A model that answers questions, on the settings' device."""

    def __init__(self, whole: MMLLM, settings: MMLLMSettings) -> None:
        """Move the model to the device and, in place, to the precision. Raises MMLLMError for a device not there."""
        self.whole, self.settings, self.device = whole, settings, find_device(settings.device)
        self.layout = chat_format(whole.processor.tokenizer)
        self.dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        whole.model.to(self.device, self.dtype).eval()

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Answer]:
        """Return an answer a question, in their order; equal questions get equal answers. Raises MMLLMError."""
        meter = Meter(len(questions), report)
        order = sorted(range(len(questions)), key=lambda number: -len(questions[number].text))
        found: dict[int, Answer] = {}
        for start in range(0, len(order), self.settings.generation_batch_size):
            part = order[start : start + self.settings.generation_batch_size]
            found |= zip(part, self._answer([questions[number] for number in part]), strict=True)
            meter.advance(len(part))
        return [found[number] for number in range(len(questions))]

    @torch.no_grad()
    def _answer(self, questions: Sequence[Question]) -> list[Answer]:
        processor, limit = self.whole.processor, self.settings.max_new_tokens
        inputs = processor(
            images=[_opened(question.picture) for question in questions],
            text=[self.layout.prompt(f"{IMAGE}\n{question.text}") for question in questions],
            padding=True, padding_side="left", add_special_tokens=False, return_tensors="pt",
        ).to(self.device, self.dtype)  # fmt: skip
        ids = self.whole.model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        generated = ids[:, inputs["input_ids"].shape[1] :].cpu()
        return [self._as_answer(row, question) for row, question in zip(generated, questions, strict=True)]

    def _as_answer(self, ids: Any, question: Question) -> Answer:
        tokenizer = self.whole.processor.tokenizer
        ends = (ids == tokenizer.eos_token_id).nonzero()
        count = int(ends[0]) + 1 if len(ends) else len(ids)
        text = tokenizer.decode(ids[:count], skip_special_tokens=True).strip()
        return Answer(text, stated_label(text, question.options), count, not len(ends))


def _opened(picture: Path | Image.Image) -> Image.Image:
    return read_picture(picture) if isinstance(picture, Path) else picture.convert("RGB")
