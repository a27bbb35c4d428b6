"""The pictures that the MM-LLM is measured on: validation and test splits, without twins of what was learnt from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.errors import TableError
from tinyemo_data.sample import samples_key
from tinyemo_data.sample_reading import read_columns
from tinyemo_data.store import Store
from tinyemo_data.synthesis.order import rank_of
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.subjects import Subjects

SPLITS = ("validation", "test")


@dataclass(frozen=True)
class HeldOut:
    """One picture that no stage learnt from, with all that an answer about it is compared with."""

    sample_id: str
    dataset: str
    split: str
    path: Path
    sha256: str  # of its bytes, hex
    taxonomy: str
    options: tuple[str, ...]  # the labels of its taxonomy
    emotion: str  # the dataset's label
    predicted: str  # the projector's
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Drawn:
    """The pictures that were drawn, and how many there were of each dataset and split to draw from."""

    pictures: list[HeldOut]
    pool: dict[str, dict[str, int]]  # dataset -> split -> pictures, those with twins not counted
    commonest: dict[str, float]  # dataset -> share of its commonest label among those, 0–1
    twins: int  # left out: they are, or nearly are, pictures that were learnt from
    unpredicted: int  # left out: the projector has no label for them


def draw_held_out(
    store: Store,
    roots: Mapping[str, Path],
    encoder: str,
    predictions: Mapping[str, str],
    twins: Mapping[str, Set[str]],
    limit: int,
    seed: int,
) -> Drawn:
    """Draw at most `limit` pictures of the datasets in `roots`, as many of each dataset as there are of another.

    `roots` maps a dataset to its folder, `predictions` a sample id to the projector's label, `twins` a dataset to the
    sample ids that are left out. Raises TableError where none is left, and what `Subjects` raises.
    """
    subjects = [one for one in Subjects(store, list(roots), encoder, splits=SPLITS) if one.emotion is not None]
    alone = [one for one in subjects if one.sample_id not in twins.get(one.dataset, frozenset())]
    known = [one for one in alone if one.sample_id in predictions]
    if not known:
        raise TableError(
            f"No labelled picture is left in the validation and test splits of {', '.join(roots)}: {len(subjects)} "
            f"were there, {len(subjects) - len(alone)} of them are twins of pictures that were learnt from. Ingest a "
            "dataset of evaluation.datasets, and materialize its features."
        )
    splits = read_splits(store, roots)
    pictures = [
        as_held_out(one, splits[one.sample_id], roots[one.dataset], predictions[one.sample_id])
        for one in draw_evenly(known, limit, seed)
    ]
    twinned, unpredicted = len(subjects) - len(alone), len(alone) - len(known)
    return Drawn(pictures, _count(known, splits), commonest_shares(known), twinned, unpredicted)


def draw_evenly(subjects: Iterable[Subject], limit: int, seed: int) -> list[Subject]:
    """Return up to `limit` subjects in a seeded order, in which each dataset comes as often as another.

    A smaller limit gives the beginning of what a larger one gives.
    """
    of_dataset: dict[str, list[tuple[int, Subject]]] = {}
    for one in subjects:
        of_dataset.setdefault(one.dataset, []).append((rank_of(seed, one.sample_id), one))
    turns = [
        (turn, rank, one.sample_id, one)
        for ranked in of_dataset.values()
        for turn, (rank, one) in enumerate(sorted(ranked, key=lambda pair: (pair[0], pair[1].sample_id)))
    ]
    return [one for *_, one in sorted(turns, key=lambda entry: entry[:3])[:limit]]


def as_held_out(subject: Subject, split: str, root: Path, predicted: str) -> HeldOut:
    """Return a labelled subject with its options and place."""
    assert subject.emotion is not None and subject.taxonomy is not None
    return HeldOut(
        sample_id=subject.sample_id,
        dataset=subject.dataset,
        split=split,
        path=root / subject.image_path,
        sha256=subject.sha256,
        taxonomy=subject.taxonomy,
        options=taxonomy.get(subject.taxonomy).labels,
        emotion=subject.emotion,
        predicted=predicted,
        facts=subject.facts,
    )


def read_splits(store: Store, datasets: Iterable[str]) -> dict[str, str]:
    """Return the split of every sample of some datasets, by its id."""
    tables = [read_columns(store, samples_key(name), "sample_id", "split") for name in datasets]
    return dict(pl.concat([table.cast(pl.String) for table in tables]).iter_rows())


def describe_splits(pictures: Sequence[HeldOut]) -> dict[str, dict[str, int]]:
    """Return how many pictures there are of each dataset and split."""
    found: dict[str, dict[str, int]] = {}
    for one in pictures:
        of_split = found.setdefault(one.dataset, {})
        of_split[one.split] = of_split.get(one.split, 0) + 1
    return found


def commonest_shares(subjects: Iterable[Subject]) -> dict[str, float]:
    """Return the share of each dataset's subjects that have its commonest label."""
    labels: dict[str, Counter[str]] = {}
    for one in subjects:
        labels.setdefault(one.dataset, Counter())[str(one.emotion)] += 1
    return {name: max(counts.values()) / counts.total() for name, counts in labels.items()}


def _count(subjects: Iterable[Subject], splits: Mapping[str, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for one in subjects:
        of_split = found.setdefault(one.dataset, {})
        of_split[splits[one.sample_id]] = of_split.get(splits[one.sample_id], 0) + 1
    return found
