"""Margins: by how much a picture is nearer to one emotion than to the nearest other one."""

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.bias.attributes import Floats, Integers


def margins(similarities: npt.NDArray[np.floating]) -> Floats:
    """Return `s_e - max of s_k over k != e`, (…, N, E), of cosine similarities (…, N, E) with E at least 2."""
    s = np.asarray(similarities, dtype=np.float64)
    ordered = np.partition(s, -2, axis=-1)
    highest, second = ordered[..., -1:], ordered[..., -2:-1]
    # The nearest other one of the nearest emotion is the second; of all others it is the nearest.
    return s - np.where(s == highest, second, highest)


def mean_margins(similarities: npt.NDArray[np.floating]) -> Floats:
    """Return margins averaged over seeds, (E, N): an outcome an emotion, of similarities (S, N, E)."""
    return np.ascontiguousarray(margins(similarities).mean(axis=0).T)


def predictions(similarities: npt.NDArray[np.floating]) -> Integers:
    """Return the nearest emotion by mean similarity over seeds, (N,), of similarities (S, N, E)."""
    nearest: Integers = np.asarray(similarities, dtype=np.float64).mean(axis=0).argmax(axis=1).astype(np.int64)
    return nearest
