"""Exactly N: which drafts are asked so that N records an emotion and task are accepted, and no more is bought.

Drafts are taken in their seeded order. A first wave asks N an emotion and task; each further wave asks as many more as
the share that was accepted so far says are needed, until N are there or no draft is left.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyemo_data.synthesis import tasks

Key = tuple[str | None, str]  # emotion and task, such as ("joy", "hq/reasoning")
LEAST_ACCEPTANCE = 0.1  # a share that is assumed where fewer were accepted: waves stay of a size


@dataclass
class Waves:
    """How many drafts of each emotion and task are asked by now, out of those that there are."""

    wanted: int  # accepted records an emotion and task
    pool: Mapping[Key, int]  # drafts there are
    asked: Counter[Key] = field(default_factory=Counter)

    def first_wave(self) -> int:
        """Ask as many as are wanted; return how many drafts that adds."""
        # A reply may give two records: no more is asked than is needed if all of them are accepted.
        return self._raise({key: math.ceil(self.wanted / tasks.get(key[1]).records) for key in self.pool})

    def next_wave(self, accepted: Mapping[Key, int]) -> int:
        """Ask for what is short; return how many drafts that adds, 0 where nothing is short or nothing is left."""
        goals = {}
        for key in self.pool:
            short = self.wanted - accepted.get(key, 0)
            if short > 0:
                share = max(accepted.get(key, 0) / max(self.asked[key], 1), LEAST_ACCEPTANCE)
                goals[key] = self.asked[key] + math.ceil(short / share)
        return self._raise(goals)

    def short(self, accepted: Mapping[Key, int]) -> dict[Key, int]:
        """Return by how many records each emotion and task falls short."""
        found = {key: self.wanted - accepted.get(key, 0) for key in self.pool}
        return {key: count for key, count in found.items() if count > 0}

    def _raise(self, goals: Mapping[Key, int]) -> int:
        before = self.asked.total()
        for key, goal in goals.items():
            self.asked[key] = max(self.asked[key], min(goal, self.pool[key]))
        return self.asked.total() - before
