"""The evaluation over a store: every dataset that is at hand, on its evaluated split, into the report."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import twins_of_training
from tinyemo_data.evaluation.classification import evaluate_dataset
from tinyemo_data.evaluation.page import render_page
from tinyemo_data.evaluation.prediction import ProjectorLike
from tinyemo_data.evaluation.report import PLOT_KEY, ClassificationReport, Context, write_report
from tinyemo_data.evaluation.row import Row
from tinyemo_data.evaluation.split import choose_split
from tinyemo_data.features.gather import datasets_at_hand, labelled_split, missing_note
from tinyemo_data.projector.checkpoint import load_checkpoint, read_config
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.projector.tiny_language_model import NAME as MADE_ON_THE_SPOT
from tinyemo_data.settings import EvaluationSettings, Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Evaluated:
    """The report, as it was written, and its picture."""

    report: ClassificationReport
    markdown: str
    picture: bytes  # PNG

    @property
    def headline(self) -> dict[str, float]:
        """Return top-1 of the projector's mean over seeds and of the ensemble a dataset, for plots over time."""
        rows = [row for row in self.report.rows if row.seed is None and not row.twins_removed]
        return {f"top1/{row.dataset}/{row.method}": row.top1 for row in rows if row.method.startswith("projector")}


@dataclass(frozen=True)
class _Evaluation:
    """What every dataset is evaluated with."""

    store: Store
    slug: str  # of the encoder
    projector: ProjectorLike
    trained_on: Sequence[str]
    settings: EvaluationSettings
    twins: Mapping[str, Set[str]]  # evaluated pictures with a near-duplicate in what was learnt from, a dataset

    def rows(self, name: str) -> tuple[list[Row], str | None]:
        """Return the rows of one dataset, on its evaluated split, and a note where there is one."""
        splits = {
            split: labelled_split(self.store, self.slug, name, split) for split in ("train", "validation", "test")
        }
        split, note = choose_split({key: part.sha256 for key, part in splits.items()}, name)
        labels = taxonomy.get(splits[split].taxonomies[0]).labels
        rows = evaluate_dataset(
            splits[split],
            splits["train"],
            self.projector,
            self.settings,
            name,
            split,
            self.twins.get(name, frozenset()),
            labels=labels,
            trained_on=self.trained_on,
        )
        return rows, note


def materialize_classification(store: Store, settings: Settings, slug: str) -> Evaluated:
    """Evaluate the projector of the store on the datasets that are at hand, and write `reports/classification.*`.

    `slug` names the encoder whose features are read. Raises StoreError where none of the datasets is at hand,
    CheckpointError, and what `evaluate_dataset` raises.
    """
    config = read_config(store)
    projector = load_checkpoint(store, read_prototypes(store), encoder=slug)
    used, missing = datasets_at_hand(store, slug, settings.evaluation.datasets)
    trained_on = list(config["rows"] or ())
    twins = twins_of_training(store, trained_on or settings.projector.train_on)
    evaluation = _Evaluation(store, slug, projector, trained_on, settings.evaluation, twins)
    found = [evaluation.rows(name) for name in used]
    notes = [missing_note(name) for name in missing] + [note for _, note in found if note]
    context = Context(
        profile=settings.name,
        pictures=settings.pictures,
        encoder=slug,
        language_model=config["language_model"],
        language_model_made_on_the_spot=config["language_model"] == MADE_ON_THE_SPOT,
        datasets_used=used,
        datasets_missing=missing,
    )
    report = ClassificationReport([row for rows, _ in found for row in rows], notes, context)
    write_report(store, report)
    return Evaluated(report, render_page(report), store.read_bytes(PLOT_KEY))
