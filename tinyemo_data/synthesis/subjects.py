"""The pictures that a set is made of: some splits of some datasets, each content once.

Sample tables and picture statistics are read side by side in batches; both are sorted by `sample_id`, so that neither
is ever held as a whole.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tinyemo_data.features.statistics_table import statistics_key
from tinyemo_data.sample import samples_key
from tinyemo_data.store import Store
from tinyemo_data.synthesis import predicted_labels, subject_tables
from tinyemo_data.synthesis.order import rank_of
from tinyemo_data.synthesis.predicted_labels import canonical, checked, with_predictions
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.tasks.notes import names_emotion

SPLITS = ("train",)
CODE = [Path(module) for module in (__file__, predicted_labels.__file__, subject_tables.__file__)]
SHORT = 16  # bytes of a picture's SHA-256 that tell contents apart


@dataclass
class Subjects:
    """Iterates the subjects of some datasets, in the order of datasets and sample ids; again with each loop.

    Where several pictures have the same bytes, the first of them alone is a subject. Released features are none: there
    is no picture to ask about. Raises StoreError for a dataset without a Sample table, TableError or FeatureError where
    a table is not as it was written, UnknownLabelError for a prediction that is in no taxonomy of its dataset.
    """

    store: Store
    datasets: Sequence[str]
    encoder: str | None = None  # slug under whose features the picture statistics lie; None: none are known
    # Labels of the projector: `sample_id`, `emotion` and, where it is not the dataset's, `taxonomy`. None: those of the
    # annotators.
    predictions: pl.DataFrame | None = None
    limit: int | None = None  # pictures at most, drawn by seed
    seed: int = 0
    splits: Sequence[str] = SPLITS  # what is held out is measured on, and never learnt from
    left_out: Counter[str] = field(default_factory=Counter)  # of the last whole loop: reason -> pictures

    def __iter__(self) -> Iterator[Subject]:
        self.left_out.clear()
        highest = self._highest_rank()
        for row in self._distinct_rows(with_facts=True):
            if highest is None or rank_of(self.seed, row["sample_id"]) <= highest:
                yield _subject(row, self.predictions is not None)
            else:
                self.left_out["over the limit"] += 1

    @property
    def fingerprint(self) -> str:
        """Return a digest of all that decides the subjects: the tables' content, the predictions, the limit."""
        digest = hashlib.sha256(f"{list(self.datasets)} {self.limit} {self.seed} {list(self.splits)}".encode())
        for key in [key for dataset in self.datasets for key in self._keys(dataset)]:
            digest.update(f"\n{key} {self.store.digest(key) if self.store.exists(key) else 'absent'}".encode())
        if self.predictions is not None:
            digest.update(checked(self.predictions).sort("sample_id").write_csv().encode())
        for path in CODE:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _keys(self, dataset: str) -> list[str]:
        statistics = [] if self.encoder is None else [statistics_key(self.encoder, dataset)]
        return [samples_key(dataset), *statistics]

    def _highest_rank(self) -> int | None:
        """Return the rank up to which pictures are within the limit; None where all are."""
        if self.limit is None:
            return None
        ranks = (rank_of(self.seed, row["sample_id"]) for row in self._distinct_rows(with_facts=False))
        chosen = heapq.nsmallest(self.limit, ranks)
        return chosen[-1] if len(chosen) == self.limit else None

    def _distinct_rows(self, with_facts: bool) -> Iterator[dict[str, Any]]:
        """Yield the rows of pictures in the splits whose content did not come before."""
        seen: set[bytes] = set()
        left_out: Counter[str] = Counter()
        for dataset in self.datasets:
            for table in self._tables(dataset, with_facts):
                is_wanted, is_picture = table["split"].is_in(self.splits), table["source_kind"] == "picture"
                left_out["released feature"] += int((is_wanted & ~is_picture).sum())
                for row in table.filter(is_wanted & is_picture).iter_rows(named=True):
                    content = bytes.fromhex(row["sha256"])[:SHORT]
                    if content in seen:
                        left_out["same bytes as an earlier one"] += 1
                        continue
                    seen.add(content)
                    yield row
        if with_facts:
            self.left_out.update(+left_out)

    def _tables(self, dataset: str, with_facts: bool) -> Iterator[pl.DataFrame]:
        if not with_facts:
            yield from subject_tables.read_parts(self.store, dataset, subject_tables.WHICH)
            return
        tables = subject_tables.read_parts(self.store, dataset, subject_tables.WHAT)
        if self.encoder is not None:
            tables = subject_tables.with_statistics(tables, self.store, self.encoder, dataset)
        predictions = None if self.predictions is None else checked(self.predictions)
        for table in tables:
            yield table if predictions is None else with_predictions(table, predictions)


def _subject(row: dict[str, Any], is_predicted: bool) -> Subject:
    emotion = row["emotion"]
    if is_predicted and emotion is not None:
        emotion = canonical(emotion, row)
    return Subject(
        sample_id=row["sample_id"],
        dataset=row["dataset"],
        image_path=row["image_path"],
        sha256=row["sha256"],
        emotion=emotion,
        taxonomy=None if emotion is None else row["taxonomy"],
        label_origin=None if emotion is None else ("projector" if is_predicted else "annotators"),
        facts=_facts(row),
    )


def _facts(row: dict[str, Any]) -> Facts:
    attributes, keyword = row["attributes"] or {}, row["keyword"]
    colours = row.get("dominant_colours") or ()
    return Facts(
        brightness=row.get("brightness"),
        colourfulness=row.get("colourfulness"),
        dominant_colours=tuple((entry["colour"], entry["share"]) for entry in colours),
        width=row["width"],
        height=row["height"],
        scene=attributes.get("scene"),
        objects=_objects(row, attributes),
        facial_expression=attributes.get("facial_expression"),
        human_action=attributes.get("human_action"),
        theme=None if keyword is None or names_emotion(keyword) else keyword,
        valence=row["valence"],
        arousal=row["arousal"],
    )


def _objects(row: dict[str, Any], attributes: dict[str, Any]) -> tuple[str, ...]:
    objects = [name for name in attributes.get("object") or () if name]
    # A dataset of dimensions names a category there (scenery, person), which is no object.
    if row["object"] and row["label_source"] != "dimensions":
        objects.append(row["object"])
    return tuple(dict.fromkeys(objects))
