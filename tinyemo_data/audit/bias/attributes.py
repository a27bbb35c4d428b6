"""The attribute matrix: which picture has which attribute, has it not, or was not looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.errors import AuditError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Ternary = npt.NDArray[np.int8]

PRESENT, ABSENT, UNKNOWN = 1, 0, -1
TIERS = ("annotated", "caption", "latent")


@dataclass(frozen=True)
class AttributeTable:
    """Attributes (p) of pictures (N), in the order of the pictures' rows."""

    names: tuple[str, ...]
    tiers: tuple[str, ...]  # of TIERS, one an attribute: where the candidate comes from
    values: Ternary  # (N, p): 1 the picture has it, 0 it has not, -1 unknown

    def __post_init__(self) -> None:
        """Raise AuditError for a matrix that is not of these names, or holds other values."""
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise AuditError(f"There are two attributes '{twice}'. Give each a name of its own.")
        shape = self.values.shape
        if len(shape) != 2 or shape[1] != len(self.names) or len(self.tiers) != len(self.names):
            raise AuditError(
                f"Expected attribute values (pictures, {len(self.names)}) and as many tiers; found {shape} and "
                f"{len(self.tiers)} tiers."
            )
        foreign = (self.values < UNKNOWN) | (self.values > PRESENT)
        if foreign.any():
            row, column = np.argwhere(foreign)[0]
            raise AuditError(
                f"Attribute '{self.names[column]}', row {row}: expected 1 (has it), 0 (has it not) or -1 (unknown), "
                f"found {self.values[row, column]}."
            )

    def __len__(self) -> int:
        return len(self.values)

    def columns(self, chosen: Sequence[int] | Integers) -> "AttributeTable":
        """Return the given attributes, in the given order."""
        names, tiers = (tuple(of[column] for column in chosen) for of in (self.names, self.tiers))
        return AttributeTable(names, tiers, self.values[:, list(chosen)])

    def rows(self, chosen: Integers) -> "AttributeTable":
        """Return the given pictures, in the given order."""
        return AttributeTable(self.names, self.tiers, self.values[chosen])

    def beside(self, other: "AttributeTable") -> "AttributeTable":
        """Return the attributes of both, of the same pictures."""
        values = np.concatenate([self.values, other.values], axis=1)
        return AttributeTable(self.names + other.names, self.tiers + other.tiers, values)


def attribute_table(frame: pl.DataFrame, sample_ids: Sequence[str], tier: str = TIERS[0]) -> AttributeTable:
    """Lay a frame of `sample_id` and one Boolean column an attribute (null: unknown) in the order of `sample_ids`.

    Raises AuditError for a column of another type, a sample that comes twice, and samples that are missing.
    """
    names = [name for name in frame.columns if name != "sample_id"]
    wrong = [name for name in names if frame[name].dtype != pl.Boolean]
    if "sample_id" not in frame.columns or wrong:
        found = f"'{wrong[0]}' of type {frame[wrong[0]].dtype}" if wrong else "no column 'sample_id'"
        raise AuditError(f"Attributes: expected 'sample_id' and Boolean columns (null: unknown), found {found}.")
    if frame["sample_id"].is_duplicated().any():
        twice = frame.filter(frame["sample_id"].is_duplicated())["sample_id"][0]
        raise AuditError(f"Attributes: sample '{twice}' has two rows. Keep one.")
    wanted = pl.DataFrame({"sample_id": list(sample_ids)}, schema={"sample_id": pl.String})
    absent = wanted.join(frame, on="sample_id", how="anti")
    if len(absent):
        raise AuditError(
            f"Attributes: {len(absent)} of {len(wanted)} pictures have no row, first '{absent['sample_id'][0]}'. Give "
            "each picture one; what is unknown of it is null."
        )
    laid = wanted.join(frame, on="sample_id", how="left", maintain_order="left")
    ternary = laid.select(pl.col(name).cast(pl.Int8).fill_null(UNKNOWN) for name in names)
    values = ternary.to_numpy() if names else np.empty((len(wanted), 0), np.int8)
    return AttributeTable(tuple(names), (tier,) * len(names), np.ascontiguousarray(values, dtype=np.int8))
