"""The reasoning report, `reports/reasoning.{json,md,png}`, and all answers, `reports/reasoning_answers.parquet`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

import polars as pl

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.conditions import Condition, Model
from tinyemo_data.evaluation.reasoning.contrasts import Contrast
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.row import Row
from tinyemo_data.evaluation.reasoning.statements import Verdicts
from tinyemo_data.store import Store

JSON_KEY = "reports/reasoning.json"
MARKDOWN_KEY = "reports/reasoning.md"
PLOT_KEY = "reports/reasoning.png"
ANSWERS_KEY = "reports/reasoning_answers.parquet"


class Context(TypedDict):
    """What the figures are of."""

    profile: str
    pictures: str  # drawn or real
    parts: dict[str, str]  # of the MM-LLM: vision tower and language model
    models: dict[str, str]  # stage -> identity of the model
    projector: str  # digest
    learnt_from: list[str]  # datasets whose train splits the models or the projector learnt from
    n: int
    seed: int
    resamples: int
    pool: dict[str, dict[str, int]]  # dataset -> split -> pictures to draw from
    twins_left_out: int
    chance: float  # top-1 of answers that don't look: always the commonest label of a dataset
    projector_top1: float  # on the same pictures
    references: str  # what texts are compared with


@dataclass(frozen=True)
class ReasoningReport:
    """The rows of the ablation table and all that was measured beside them."""

    context: Context
    rows: list[Row]
    contrasts: list[Contrast]
    statements: dict[Model, Verdicts]  # model -> its verdicts; empty: no pair could be made
    notes: list[str]
    judge: dict[str, Any] | None = None  # None: nobody judged
    examples: list[dict[str, str]] = field(default_factory=list)

    def row(self, condition: Condition) -> Row | None:
        """Return a condition's row; None where it was not asked."""
        return next((row for row in self.rows if row.key == condition.key), None)


def write_report(store: Store, report: ReasoningReport, answers: pl.DataFrame) -> None:
    """Write answers, plot, page and JSON; the JSON, the completion mark, comes last. Equal reports, equal bytes."""
    from tinyemo_data.evaluation.reasoning.page import render_page
    from tinyemo_data.evaluation.reasoning.plot import render_plot

    store.write_table(ANSWERS_KEY, answers)
    store.write_bytes(PLOT_KEY, render_plot(report))
    store.write_bytes(MARKDOWN_KEY, render_page(report).encode())
    store.write_json(JSON_KEY, asdict(report))


def read_json(store: Store) -> dict[str, Any]:
    """Read the JSON back. Raises StoreError where it is absent or was written by another version."""
    content = store.read_json(JSON_KEY)
    if not isinstance(content, dict) or not {"context", "rows", "contrasts", "statements"} <= content.keys():
        raise StoreError(
            f"{store.path(JSON_KEY)} is no reasoning report of this version. Materialize evaluation/reasoning again."
        )
    return content


def tabulate(pictures: Sequence[HeldOut], answers: Mapping[Condition, Sequence[Answered]]) -> pl.DataFrame:
    """Return one line an answer: whose picture, what was asked, what was said, and what it states."""
    lines = [
        {
            "row": condition.key, "sample_id": picture.sample_id, "dataset": picture.dataset, "split": picture.split,
            "emotion": picture.emotion, "predicted": picture.predicted, "stated": answer.label, "named": answer.named,
            "question": answer.question, "text": answer.text, "is_cut": answer.is_cut,
        }
        for condition, theirs in answers.items()
        for picture, answer in zip(pictures, theirs, strict=True)
    ]  # fmt: skip
    return pl.DataFrame(lines, schema_overrides={"stated": pl.String}, infer_schema_length=None)
