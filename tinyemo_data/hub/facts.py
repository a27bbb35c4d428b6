"""Everything that a set's card says, gathered from what was measured."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.errors import CheckpointError
from tinyemo_data.hub.biases import Biases, read_biases
from tinyemo_data.hub.contamination import Contamination, measure_contamination
from tinyemo_data.hub.counting import Counts
from tinyemo_data.hub.licences import licence_rows
from tinyemo_data.hub.prompts_used import PromptUsed, prompts_used
from tinyemo_data.hub.repository import Repository
from tinyemo_data.hub.shards import Shard
from tinyemo_data.hub.terms import to_acknowledge
from tinyemo_data.sample import samples_key
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.diversity import TaskDiversity
from tinyemo_data.synthesis.funnel import Funnel, read_funnel
from tinyemo_data.synthesis.judgement import Finding, judge_set
from tinyemo_data.synthesis.measured import read_diversity
from tinyemo_data.taxonomy import Taxonomy


@dataclass(frozen=True)
class SetFacts:
    """What is known of an instruct set that is staged."""

    repository: Repository
    profile: str
    pictures: str  # drawn or real
    counts: Counts
    splits: dict[str, int]  # split of its dataset -> pictures; "unknown" where no Sample table has the picture
    shards: list[Shard]
    funnel: Funnel
    diversity: dict[str, TaskDiversity]
    findings: list[Finding]
    prompts: list[PromptUsed]
    taxonomies: list[Taxonomy]
    label_accuracy: (
        dict[str, float] | None
    )  # of the projector that gave labels: top1 and largest_class on held-out train
    contamination: Contamination
    biases: Biases
    licences: list[dict[str, str]]

    @property
    def datasets(self) -> list[str]:
        """The datasets whose pictures the records are about, sorted."""
        return [name for name in self.counts.values("dataset") if name]

    @property
    def generators(self) -> list[str]:
        """The backends that answered, sorted."""
        return self.counts.values("generator")

    @property
    def to_acknowledge(self) -> list[str]:
        """The backends whose terms somebody must have read."""
        return to_acknowledge(self.generators)


def gather_facts(
    store: Store, settings: Settings, repository: Repository, counts: Counts, shards: list[Shard]
) -> SetFacts:
    """Return the facts of a set. Raises StoreError, StagingError or LicenceError where one can't be had."""
    name = repository.what
    funnel, diversity = read_funnel(store, name), read_diversity(store, name)
    datasets = [dataset for dataset in counts.values("dataset") if dataset]
    evaluated = sorted({*settings.evaluation.datasets, *datasets})
    asked = [(cell["task"], cell["prompt_digest"]) for cell in counts.by("task", "prompt_digest")]
    return SetFacts(
        repository=repository,
        profile=settings.name,
        pictures=settings.pictures,
        counts=counts,
        splits=_splits(store, datasets, counts.records_of),
        shards=shards,
        funnel=funnel,
        diversity=diversity,
        findings=_findings(settings, name, judge_set(funnel, diversity)),
        prompts=prompts_used((task, digest) for task, digest in asked if digest),
        taxonomies=[taxonomy.get(one) for one in counts.values("taxonomy")],
        label_accuracy=_label_accuracy(store) if "projector" in counts.values("label_origin") else None,
        contamination=measure_contamination(store, counts.records_of, evaluated),
        biases=read_biases(store),
        licences=licence_rows(datasets),
    )


def _findings(settings: Settings, name: str, findings: list[Finding]) -> list[Finding]:
    """Return the findings; where a set takes a number an emotion, drafts beyond it without a reply are no lack."""
    options = settings.synthesis.sets.get(name)
    has_quota = options is not None and options.per_emotion is not None
    return [one for one in findings if not (has_quota and one.name == "is_complete")]


def _splits(store: Store, datasets: list[str], records_of: dict[str, int]) -> dict[str, int]:
    """Return in which splits of their datasets the pictures lie."""
    ids = pl.Series("sample_id", sorted(records_of), dtype=pl.String)
    splits: Counter[str] = Counter()
    for dataset in datasets:
        if store.exists(samples_key(dataset)):
            table = store.read_table(samples_key(dataset)).filter(pl.col("sample_id").is_in(ids.implode()))
            splits.update(table["split"].cast(pl.String).to_list())
    unknown = len(ids) - splits.total()
    return dict(sorted(splits.items())) | ({"unknown": unknown} if unknown else {})


def _label_accuracy(store: Store) -> dict[str, float] | None:
    """Return how often the projector's own labels are right, on what its train split held out; None: not known."""
    from tinyemo_data.projector.checkpoint import read_metrics

    try:
        held_out: dict[str, Any] | None = read_metrics(store).get("held_out_of_train")
    except CheckpointError:
        return None
    return held_out
