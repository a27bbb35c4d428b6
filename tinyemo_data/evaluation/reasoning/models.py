"""The models that are asked: each stage's, loaded from the store, and the untrained twin of the first."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tinyemo_data.evaluation.reasoning.answering import Answered, answer_conditions
from tinyemo_data.evaluation.reasoning.conditions import CONDITIONS, Condition, Model
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.statements import ANSWER_TOKENS, Pair, Verdicts, judge_pairs, measure_verdicts
from tinyemo_data.evaluation.reasoning.twin import forget_training
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.freezing import Stage
from tinyemo_data.mm_llm.reasoning import Reasoner
from tinyemo_data.mm_llm.saving import load_model, local_model, read_manifest
from tinyemo_data.progress import Report
from tinyemo_data.settings import MMLLMSettings, Settings
from tinyemo_data.store import Store

STAGES: dict[Model, Stage] = {"finetuned": "finetune", "pretrained": "pretrain", "untrained": "pretrain"}

WORTH_THREADS = 512  # of the language model's width

Reports = Callable[[str], Report | None]  # of a unit: where its progress goes


@dataclass
class Said:
    """What all models said, and which models they are."""

    answers: dict[Condition, list[Answered]] = field(default_factory=dict)
    verdicts: dict[Model, Verdicts] = field(default_factory=dict)
    manifests: dict[Model, dict[str, Any]] = field(default_factory=dict)


def ask_models(
    store: Store, settings: Settings, pictures: Sequence[HeldOut], pairs: Sequence[Pair], reports: Reports
) -> Said:
    """Ask each model all its questions, one model in memory at a time. Raises StoreError or MMLLMError."""
    evaluation, found = settings.evaluation, Said()
    for model in dict.fromkeys(condition.model for condition in CONDITIONS):
        asked = [condition for condition in CONDITIONS if condition.model == model]
        whole = open_model(store, settings.mm_llm, model)
        with threads_for(whole.model.config.text_config.hidden_size):
            reasoner = Reasoner(whole, settings.mm_llm)
            found.answers |= answer_conditions(reasoner, asked, pictures, evaluation.seed, reports(f"answers, {model}"))
            terse = Reasoner(whole, settings.mm_llm.model_copy(update={"max_new_tokens": ANSWER_TOKENS}))
            verdicts = judge_pairs(terse, pairs, reports(f"verdicts, {model}"))
        measured = measure_verdicts(verdicts, evaluation.bootstrap, evaluation.seed)
        found.verdicts |= {} if measured is None else {model: measured}
        found.manifests[model] = read_manifest(store, STAGES[model]) or {}
    found.answers = {condition: found.answers[condition] for condition in CONDITIONS}
    return found


def open_model(store: Store, settings: MMLLMSettings, model: Model) -> MMLLM:
    """Load a stage's model, or make the untrained twin of the first. Raises StoreError or MMLLMError."""
    with local_model(store, STAGES[model]) as folder:
        whole = load_model(Path(folder))
    return forget_training(whole, settings.seed) if model == "untrained" else whole


@contextlib.contextmanager
def threads_for(width: int) -> Iterator[None]:
    """Generate with so narrow a model on one thread: a second one would mostly wait for the first."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if width >= WORTH_THREADS else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
