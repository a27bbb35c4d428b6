"""The evaluation over a store: every dataset that is at hand, on its evaluated split, into the report."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import twins_of_training
from tinyemo_data.errors import CheckpointError, TableError
from tinyemo_data.evaluation.classification import evaluate_dataset
from tinyemo_data.evaluation.page import render_page
from tinyemo_data.evaluation.prediction import ProjectorLike
from tinyemo_data.evaluation.report import PLOT_KEY, ClassificationReport, Context, write_report
from tinyemo_data.evaluation.row import Row
from tinyemo_data.evaluation.split import choose_split
from tinyemo_data.features.gather import datasets_at_hand, labelled_split, missing_note, training_features
from tinyemo_data.features.manifest import is_cached
from tinyemo_data.projector.batches import digest_of_data
from tinyemo_data.projector.checkpoint import load_checkpoint, read_config
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.projector.tiny_language_model import NAME as MADE_ON_THE_SPOT
from tinyemo_data.sample import samples_key
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
        """Return top-1 of mean over seeds and ensemble a dataset, and the unweighted mean over datasets."""
        rows = [row for row in self.report.rows if row.seed is None and not row.twins_removed]
        single = {f"top1/{row.dataset}/{row.method}": row.top1 for row in rows if row.method.startswith("projector")}
        means = [mean for mean in self.report.mean if mean.method == "projector"]
        return single | {f"top1/mean{'_without_twins' if m.twins_removed else ''}": m.top1 for m in means}


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
        """Return the rows of one dataset on its evaluated split (none where it has no such), and a note if any."""
        splits = {
            split: labelled_split(self.store, self.slug, name, split) for split in ("train", "validation", "test")
        }
        try:
            split, note = choose_split({key: part.sha256 for key, part in splits.items()}, name)
        except TableError as exc:
            return [], f"{name} was left out. {exc}"
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


def refuse_other_training_rows(store: Store, slug: str, config: Mapping[str, Any]) -> None:
    """Raise CheckpointError where the projector learnt from other rows than the store's train splits hold now.

    A split drawn anew may put pictures that were learnt from among those that are evaluated. What is no longer in the
    store can't be compared and is passed over.
    """
    learnt = [name for name in config["settings"]["train_on"] if name in (config["rows"] or ())]
    at_hand = [name for name in learnt if store.exists(samples_key(name)) and is_cached(store, slug, name)]
    if config["data_digest"] is None or at_hand != learnt:
        return
    if digest_of_data(training_features(store, slug, learnt)[0]) != config["data_digest"]:
        raise CheckpointError(
            f"The projector in {store.url} learnt from other train rows of {', '.join(learnt)} than the store holds "
            "now (their samples or features were made anew). Materialize projector/model again."
        )


def materialize_classification(store: Store, settings: Settings, slug: str) -> Evaluated:
    """Evaluate the projector of the store on the datasets that are at hand, and write `reports/classification.*`.

    `slug` names the encoder whose features are read. Raises StoreError where none of the datasets is at hand,
    CheckpointError, and what `evaluate_dataset` raises.
    """
    config = read_config(store)
    projector = load_checkpoint(store, read_prototypes(store), encoder=slug)
    used, missing = datasets_at_hand(store, slug, settings.evaluation.datasets)
    trained_on = list(config["rows"] or ())
    refuse_other_training_rows(store, slug, config)
    twins = twins_of_training(store, trained_on or settings.projector.train_on, compared=[*used, *trained_on])
    evaluation = _Evaluation(store, slug, projector, trained_on, settings.evaluation, twins)
    found = [evaluation.rows(name) for name in used]
    if not any(rows for rows, _ in found):
        raise TableError(f"There is nothing to evaluate. {' '.join(note for _, note in found if note)}")
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
