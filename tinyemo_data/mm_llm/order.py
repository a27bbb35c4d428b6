"""The order of records in an epoch: shuffled by seed and epoch, and records of like length near each other.

It depends on nothing else, so that a resumed run and any number of processes see the records in the same order.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

POOL = 50  # updates whose records are sorted by length together

Lengths = npt.NDArray[np.int64]


class EpochOrder(Sampler[int]):
    """Yields the numbers of all records once an epoch; the first ones fill up the last update."""

    def __init__(self, lengths: Lengths, update: int, seed: int, grouped: bool) -> None:
        """Take the records' lengths in tokens, and the records of an update over all processes."""
        self.lengths, self.update, self.seed, self.grouped = lengths, update, seed, grouped
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.update) * self.update

    def __iter__(self) -> Iterator[int]:
        return iter(self.order(self.epoch).tolist())

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """Return an epoch's order, int64, whole updates of it."""
        rng = np.random.default_rng((self.seed, epoch))
        # Whole updates at any number of processes: each then computes the same gradients.
        order: Lengths = np.resize(rng.permutation(len(self.lengths)), len(self))
        if not self.grouped:
            return order
        pool = self.update * POOL
        parts = [order[start : start + pool] for start in range(0, len(order), pool)]
        by_length = np.concatenate([part[np.argsort(-self.lengths[part], kind="stable")] for part in parts])
        updates = by_length.reshape(-1, self.update)
        shuffled: Lengths = updates[rng.permutation(len(updates))].ravel()
        return shuffled

    def tokens_by_update(self, epoch: int) -> Lengths:
        """Return the tokens of each of an epoch's updates, padding not counted."""
        tokens: Lengths = self.lengths[self.order(epoch)].reshape(-1, self.update).sum(axis=1)
        return tokens


def padding_share(lengths: Lengths, order: npt.NDArray[np.int64], batch_size: int) -> float:
    """Return which share of a padded epoch's tokens is padding, 0 to 1."""
    padded = sum(
        int(lengths[order[start : start + batch_size]].max()) * len(order[start : start + batch_size])
        for start in range(0, len(order), batch_size)
    )
    return 1 - int(lengths.sum()) / padded if padded else 0.0
