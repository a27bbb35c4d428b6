"""The pictures that an audit looks at, or that a projector learnt from: labels, image groups and attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.audit.bias.attributes import AttributeTable, Integers
from tinyemo_data.errors import AuditError


@dataclass(frozen=True)
class Pictures:
    """N pictures, row by row."""

    sample_ids: tuple[str, ...]
    labels: Integers  # (N,) into the audit's emotions
    groups: Integers  # (N,): pictures of one number show the same image
    attributes: AttributeTable  # of N rows
    features: npt.NDArray[np.float16] | None = None  # (N, d) of the picture encoder; only some steps need them
    captions: tuple[frozenset[str] | None, ...] | None = None  # words of each caption; None: it has none

    def __len__(self) -> int:
        return len(self.sample_ids)

    def rows(self, chosen: Integers) -> "Pictures":
        """Return the given pictures, in the given order."""
        return Pictures(
            tuple(self.sample_ids[row] for row in chosen),
            self.labels[chosen],
            self.groups[chosen],
            self.attributes.rows(chosen),
            None if self.features is None else self.features[chosen],
            None if self.captions is None else tuple(self.captions[row] for row in chosen),
        )


def group_numbers(sample_ids: Sequence[str], groups: pl.DataFrame) -> Integers:
    """Return the number of each picture's image group, (N,).

    `groups` holds `sample_id` and `group` of those that have a twin (`audit.groups.group_of_samples`); every
    other picture is alone in its own.
    """
    named = dict(groups.select("sample_id", "group").iter_rows())
    names = np.array([named.get(sample_id, sample_id) for sample_id in sample_ids], dtype=object)
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)


def check_pictures(pictures: Pictures, emotions: Sequence[str], part: str) -> None:
    """Raise AuditError where columns are of different lengths, a label is none, or a value is no number."""
    count = len(pictures)
    lengths = {"labels": len(pictures.labels), "groups": len(pictures.groups), "attributes": len(pictures.attributes)}
    if pictures.features is not None:
        lengths["features"] = len(pictures.features)
    if pictures.captions is not None:
        lengths["captions"] = len(pictures.captions)
    ragged = [f"{length} {name}" for name, length in lengths.items() if length != count]
    if ragged or not count:
        raise AuditError(f"The {part} pictures: expected one row for each of {count} ids, found {', '.join(ragged)}.")
    foreign = np.flatnonzero((pictures.labels < 0) | (pictures.labels >= len(emotions)))
    if len(foreign):
        row = foreign[0]
        raise AuditError(
            f"The {part} picture '{pictures.sample_ids[row]}' has the label number {pictures.labels[row]}; there are "
            f"{len(emotions)} emotions ({', '.join(emotions)}). Leave out pictures of other taxonomies."
        )
    if pictures.features is not None:
        broken = np.flatnonzero(~np.isfinite(pictures.features).all(axis=1))
        if len(broken):
            raise AuditError(
                f"The {part} picture '{pictures.sample_ids[broken[0]]}' has a feature with NaN or infinity. "
                "Materialize its features again."
            )
