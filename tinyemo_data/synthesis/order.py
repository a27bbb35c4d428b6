"""Chance that depends on a seed and a draft's id alone: the order of drafts, and what each of them is asked.

Every draw has a purpose of its own, so that a longer list of wordings changes no other draw. There is no generator
whose state could depend on what was drawn before.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

SEED_BITS = 31  # of a request's seed: services take a signed 32-bit number


def rank_of(seed: int, draft_id: str) -> int:
    """Return the draft's place in its set's order: the first 8 bytes of SHA-256 of `<seed>/<draft_id>`."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{draft_id}".encode()).digest()[:8], "big")


class Draws:
    """What chance decides about one draft."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, draft_id: str) -> None:
        self._state = hashlib.blake2b(f"{seed}/{draft_id}/".encode())

    def number(self, purpose: str) -> int:
        """Return 512 bits."""
        state = self._state.copy()
        state.update(purpose.encode())
        return int.from_bytes(state.digest(), "big")

    def seed(self) -> int:
        """Return the seed of the draft's request: 31 bits."""
        return self.number("request") >> (512 - SEED_BITS)

    def pick(self, purpose: str, items: Sequence[T]) -> T:
        """Return one item, each as probable as another."""
        return items[self.number(purpose) % len(items)]

    def happens(self, purpose: str, probability: float) -> bool:
        """Tell whether something of this probability comes to pass."""
        return (self.number(purpose) >> (512 - 53)) / (1 << 53) < probability

    def sample(self, purpose: str, items: Sequence[T], size: int) -> list[T]:
        """Return `size` of the items in random order; of up to 60 items every such list practically as probable.

        Fisher and Yates's shuffle, after Durstenfeld (Algorithm 235, CACM 1964), ended when there are enough.
        """
        drawn, left = list(items), self.number(purpose)
        for place in range(min(size, len(drawn) - 1)):
            left, step = divmod(left, len(drawn) - place)
            drawn[place], drawn[place + step] = drawn[place + step], drawn[place]
        return drawn[:size]

    def subset(self, purpose: str, items: Sequence[T]) -> list[T]:
        """Return some of the items in their order: each is in it or not with equal probability."""
        bits = self.number(purpose)
        return [item for place, item in enumerate(items) if bits >> place & 1]
