"""Groups of pictures that words are looked up for: emotions, and slices by an attribute.

Two questions are asked of a group. *Where does it lie?* The mean of its pictures' points: its inner product with a
word is the mean cosine of the pictures with that word. *What sets it apart?* The same less the mean of its stratum
(an emotion's: all pictures of the dataset; a slice's: pictures of the same dataset and emotion): the lift, how much
nearer than the others the pictures are to a word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.audit.interpretability.nearest import Rows
from tinyemo_data.audit.interpretability.pictures import ProjectedPictures

EMOTION, SLICE = "emotion", "slice"
Flags = npt.NDArray[np.bool_]
Strata = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Groups (G) of one kind, over the same pictures (N)."""

    kind: str
    names: tuple[str, ...]
    members: Flags  # (G, N)
    strata: Strata  # (N,): pictures that are compared with one another
    residuals: Rows  # (N, h): points less the mean of their stratum

    def __len__(self) -> int:
        return len(self.names)

    def lifts(self) -> Rows:
        """Return the mean residual of each group, (G, h)."""
        return means(self.members, self.residuals)


def emotion_groups(pictures: ProjectedPictures) -> Groups:
    """Return a group an emotion that some picture has, sorted by name, over all datasets."""
    names = sorted(set(pictures.emotions.tolist()))
    members = np.array([pictures.emotions == name for name in names])
    return _groups(EMOTION, names, members, pictures, [pictures.datasets])


def slice_groups(pictures: ProjectedPictures, slices: Mapping[str, Flags], least: int) -> Groups:
    """Return a group for each flag (N,) that `least` pictures or more have, but not all."""
    kept = {name: flags for name, flags in slices.items() if least <= flags.sum() < len(flags)}
    members = np.array([*kept.values()], dtype=bool).reshape(len(kept), len(pictures))
    return _groups(SLICE, list(kept), members, pictures, [pictures.datasets, pictures.emotions])


def slices_of(attributes: pl.DataFrame, sample_ids: Sequence[str]) -> dict[str, Flags]:
    """Return flags (N,) of the Boolean columns of a frame of `sample_id`; what is unknown of a picture is no member."""
    wanted = pl.DataFrame({"sample_id": list(sample_ids)}, schema={"sample_id": pl.String})
    laid = wanted.join(attributes, on="sample_id", how="left", maintain_order="left")
    return {name: laid[name].fill_null(False).to_numpy() for name in attributes.columns if name != "sample_id"}


def means(members: Flags, points: Rows) -> Rows:
    """Return the mean point of each group, (G, h) float32, summed in float64."""
    sums = [points[flags].sum(axis=0, dtype=np.float64) for flags in members]
    counts = np.maximum(members.sum(axis=1, keepdims=True), 1)
    found: Rows = (np.array(sums).reshape(len(members), points.shape[1]) / counts).astype(np.float32)
    return found


def _groups(
    kind: str, names: Sequence[str], members: Flags, pictures: ProjectedPictures, by: Sequence[npt.NDArray[np.str_]]
) -> Groups:
    _, strata = np.unique(np.array(["\n".join(row) for row in zip(*by, strict=True)]), return_inverse=True)
    of_strata = np.array([strata == number for number in range(int(strata.max()) + 1)])
    residuals = pictures.points - means(of_strata, pictures.points)[strata]
    return Groups(kind, tuple(names), members, strata, residuals)
