"""Where an attribute points in the projected space, against where the emotions' prototypes lie."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.bias.attributes import Flags, Floats
from tinyemo_data.audit.bias.design import Design


def attribute_directions(design: Design, embeddings: npt.NDArray[np.floating], taken: Flags) -> Floats:
    """Return the change of embedding (N, h) that goes with each attribute, class and others held fixed, (p, h).

    `taken` (p + k,) says which columns of the design take part; others have NaN.
    """
    gram = np.zeros((design.columns, design.columns))
    moment = np.zeros((design.columns, embeddings.shape[1]))
    for block in design.blocks():
        gram += block.x.T @ block.x
        moment += block.x.T @ embeddings[block.rows].astype(np.float64)
    used = np.flatnonzero(taken & (np.diag(gram) > 0))
    directions = np.full(moment.shape, np.nan)
    directions[used] = np.linalg.lstsq(gram[np.ix_(used, used)], moment[used], rcond=None)[0]
    return directions[: design.attributes]


def cosines_to_prototypes(directions: Floats, prototypes: npt.NDArray[np.floating]) -> Floats:
    """Return cos(direction of a, prototype of e - mean prototype), (E, p)."""
    spread = np.asarray(prototypes, dtype=np.float64)
    spread = spread - spread.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        cosines: Floats = (spread / np.linalg.norm(spread, axis=1, keepdims=True)) @ unit.T
    return cosines


def nearest_words(
    direction: Floats, vocabulary: npt.NDArray[np.floating], words: Sequence[str], count: int = 10
) -> list[tuple[str, float]]:
    """Return the words whose embeddings (V, h), less their mean, have the highest cosines with a direction (h,)."""
    rows = np.asarray(vocabulary, dtype=np.float64)
    rows = rows - rows.mean(axis=0)
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(direction)
    cosines = np.divide(rows @ direction, lengths, out=np.zeros(len(rows)), where=lengths > 0)
    order = np.argsort(-cosines, kind="stable")[:count]
    return [(words[row], float(cosines[row])) for row in order]
