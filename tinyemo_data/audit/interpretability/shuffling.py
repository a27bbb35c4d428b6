"""How far would *some* word set a group apart, were its pictures drawn by lot?

The largest lift over the whole vocabulary, with memberships shuffled within their strata, is what chance finds after
looking at every word (Westfall & Young 1993, max-T). So p_shuffled holds for the first word although it was chosen as
the first; random words alone could not tell that, since the nearest of many words is nearer than most by choice.
"""

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.interpretability.groups import Groups, Strata
from tinyemo_data.audit.interpretability.nearest import Rows, Scores, highest
from tinyemo_data.audit.interpretability.word_space import WordSpace

QUERIES = 4096  # shuffled groups that are held at once


def largest_lifts(groups: Groups, space: WordSpace, shuffles: int, seed: int) -> Scores:
    """Return the largest lift of any word for each group and shuffle, (G, shuffles)."""
    orders = shuffled_orders(groups.strata, shuffles, seed)
    found = np.empty((len(groups), shuffles))
    together = max(1, QUERIES // shuffles)
    for start in range(0, len(groups), together):
        part = slice(start, start + together)
        queries = [_shuffled_lifts(flags[orders], groups.residuals) for flags in groups.members[part]]
        found[part] = highest(np.concatenate(queries), space.blocks()).reshape(-1, shuffles)
    return found


def shuffled_orders(strata: Strata, shuffles: int, seed: int) -> npt.NDArray[np.int64]:
    """Return orders (shuffles, N) of the pictures in which each stays within its stratum."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(strata == number) for number in np.unique(strata)]
    orders = np.empty((shuffles, len(strata)), dtype=np.int64)
    for order in orders:
        for members in rows:
            order[members] = rng.permutation(members)
    return orders


def share_reached(drawn: Scores, found: Scores) -> Scores:
    """Return (1 + how many of drawn (n,) reach each of found (m,)) / (1 + n): an empirical one-sided p."""
    reached = len(drawn) - np.searchsorted(np.sort(drawn), found, side="left")
    shares: Scores = (1 + reached) / (1 + len(drawn))
    return shares


def _shuffled_lifts(members: npt.NDArray[np.bool_], residuals: Rows) -> Rows:
    lifts: Rows = (members.astype(np.float32) @ residuals) / np.float32(max(int(members[0].sum()), 1))
    return lifts
