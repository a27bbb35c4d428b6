"""One row of the classification table: one method on one split of one dataset, with all its figures."""

from dataclasses import dataclass, field

from tinyemo_data.evaluation.paper import Seen


@dataclass(frozen=True)
class Row:
    """Figures are fractions 0–1, rounded to six decimals; `ci95` is the bootstrap interval of `top1`.

    `seed` is None for what has no seed and for the mean over seeds; that mean alone has `top1_sd` (of
    several seeds) and no `confusion`. `confusion` counts pictures: row = true label, column =
    predicted, in the order of `labels`. `recall` is None for a label that no evaluated picture has. `twins`
    counts the evaluated split's pictures that are in the train split too (same bytes) or were named as
    near-duplicates: they are within `n` where `twins_removed` is false and taken out where it is true.
    """

    dataset: str
    split: str
    taxonomy: str
    method: str
    seed: int | None
    n: int
    top1: float
    ci95: tuple[float, float]
    macro_f1: float
    top2: float
    ece: float
    labels: list[str]
    recall: dict[str, float | None]
    support: dict[str, int]  # evaluated pictures a label
    confusion: list[list[int]] | None
    twins: int
    twins_removed: bool
    model_digest: str
    fitted_on: list[str]  # "<dataset>/train", of every dataset that the method learnt from; empty: unknown
    seen: Seen
    seeds: int | None = None  # how many seeds a mean or an ensemble is of
    top1_sd: float | None = None  # over seeds, N − 1
    # Of the ensemble: its top-1 less each baseline's, with the paired 95 % interval (difference, low, high).
    lead: dict[str, tuple[float, float, float]] = field(default_factory=dict)
