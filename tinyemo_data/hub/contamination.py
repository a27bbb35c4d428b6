"""Contamination: evaluated pictures that a set of records shows, by the pairs of twins that `leakage` found."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tinyemo_data.audit.leakage import PAIRS_KEY, REPORT_KEY, twins_of_training
from tinyemo_data.errors import StoreError
from tinyemo_data.sample import samples_key
from tinyemo_data.store import Store

TWIN_COLUMNS = ["sample_id", "evaluated_dataset", "evaluated_split", "evaluated_sample_id", "kind"]

NOT_MEASURED = "`leakage` was not materialized, or not since the samples of one of its datasets changed."


@dataclass(frozen=True)
class Overlap:
    """One evaluated split, and how much of it a set shows."""

    dataset: str
    split: str
    pictures: int  # of the split
    shown: int  # of these, pictures with a twin among the set's
    identical: int  # of these, with one of equal bytes
    records: int  # of the set, about a picture that has a twin in this split


@dataclass(frozen=True)
class Contamination:
    """What was compared, and what was found. `why_not` says why nothing was."""

    overlaps: list[Overlap]
    not_compared: list[str]  # datasets to evaluate that are not in the report
    twins: pl.DataFrame  # TWIN_COLUMNS, sorted: what to leave out for a clean evaluation
    notes: list[str]  # of the report: what was compared by less than hash and feature
    why_not: str | None = None
    unseen: int = 0  # records about a picture that was not compared

    @property
    def measured(self) -> bool:
        """Whether anything was compared."""
        return self.why_not is None

    @property
    def complete(self) -> bool:
        """Whether every record's picture was compared."""
        return self.measured and not self.unseen


def measure_contamination(store: Store, records_of: Mapping[str, int], evaluated: Sequence[str]) -> Contamination:
    """Compare the pictures of `records_of` (sample id -> records) with the validation and test splits of `evaluated`.

    Reads what the last `leakage` wrote; where that is absent, or of other samples than the store's, nothing is known,
    and `why_not` says so.
    """
    try:
        twins_of_training(store, [])  # refuses a report of other samples
        report, pairs = store.read_json(REPORT_KEY), store.read_table(PAIRS_KEY)
    except StoreError:
        # What was raised names folders of this machine.
        empty = pl.DataFrame(schema=dict.fromkeys(TWIN_COLUMNS, pl.String))
        return Contamination([], sorted(evaluated), empty, [], NOT_MEASURED)
    twins = find_twins(pairs, records_of, evaluated)
    sizes = {(leak["dataset"], leak["split"]): leak["n"] for leak in report["leaks"] if leak["dataset"] in evaluated}
    overlaps = [_overlap(twins, records_of, *split, size) for split, size in sorted(sizes.items())]
    unseen = _unseen(store, records_of, report["datasets"])
    not_compared = sorted(set(evaluated) - set(report["datasets"]))
    return Contamination(overlaps, not_compared, twins, report["notes"], unseen=unseen)


def find_twins(pairs: pl.DataFrame, shown: Collection[str], evaluated: Sequence[str]) -> pl.DataFrame:
    """Return the evaluated pictures that have a twin among the samples `shown`: TWIN_COLUMNS, sorted.

    Where equal bytes lie several times in one split, pairs name the first of them alone: its equals stand for it.
    """
    ids = pl.Series("sample_id", sorted(shown), dtype=pl.String)
    both = pl.concat([_sides(pairs, "first", "second"), _sides(pairs, "second", "first")])
    equals = both.filter(pl.col("sample_id").is_in(ids.implode()), pl.col("kind") == "identical")
    itself = pl.DataFrame({"shown": ids, "sample_id": ids})
    stands_for = pl.concat([itself, equals.select(shown="sample_id", sample_id="other")]).unique()
    found = both.filter(pl.col("other_split") != "train", pl.col("other_dataset").is_in(list(evaluated)))
    named = found.join(stands_for, on="sample_id").select(
        sample_id="shown",
        evaluated_dataset="other_dataset",
        evaluated_split="other_split",
        evaluated_sample_id="other",
        kind="kind",
    )
    # Of two ways to the same twin, equal bytes are told.
    kept = named.sort(*TWIN_COLUMNS).unique(TWIN_COLUMNS[:-1], keep="first", maintain_order=True)
    return kept.filter(pl.col("sample_id") != pl.col("evaluated_sample_id"))


def _unseen(store: Store, records_of: Mapping[str, int], compared: Iterable[str]) -> int:
    """Return how many records are about a picture that no compared dataset has."""
    seen: set[str] = set()
    for dataset in compared:
        with store.local(samples_key(dataset)) as path:
            seen.update(pl.scan_parquet(path).select("sample_id").collect()["sample_id"])
    return sum(count for sample, count in records_of.items() if sample not in seen)


def _sides(pairs: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    return pairs.select(
        sample_id=one, other=other, other_dataset=f"{other}_dataset", other_split=f"{other}_split", kind="kind"
    )


def _overlap(twins: pl.DataFrame, records_of: Mapping[str, int], dataset: str, split: str, size: int) -> Overlap:
    of_split = twins.filter(pl.col("evaluated_dataset") == dataset, pl.col("evaluated_split") == split)
    identical = of_split.filter(pl.col("kind") == "identical")
    return Overlap(
        dataset,
        split,
        size,
        of_split["evaluated_sample_id"].n_unique(),
        identical["evaluated_sample_id"].n_unique(),
        sum(records_of[sample] for sample in of_split["sample_id"].unique()),
    )
