"""The prompt cache: prefixes that were asked to be kept, for five minutes or an hour after their last use.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching. A prefix shorter than the model's
minimum is silently not kept. A prefix is found at a breakpoint, or up to twenty blocks before one; it is there once
the reply that writes it has begun.
"""

import hashlib
from dataclasses import dataclass
from itertools import accumulate

import orjson

from tinyemo_data.synthesis.rehearsal.prompt_blocks import Block

SECONDS = {"5m": 300.0, "1h": 3600.0}
LOOKBACK = 20  # blocks


@dataclass(frozen=True, slots=True)
class Kept:
    """When a prefix can be read: both by `time.monotonic()`."""

    ready_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What the cache does for one request."""

    read: int  # tokens that are read
    written: dict[str, int]  # ttl -> tokens that are written
    prefixes: tuple[tuple[bytes, str], ...]  # digest and ttl of each prefix that is read or written

    @property
    def total(self) -> int:
        """Return the tokens that are read or written."""
        return self.read + sum(self.written.values())


NOTHING = Reading(0, {}, ())


class PromptCache:
    """What is kept, by a digest of the model and of every block up to the breakpoint."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[bytes, Kept] = {}

    def look_up(self, model: str, blocks: list[Block], minimum: int, now: float) -> Reading:
        """Return what would be read and written for this prompt; changes nothing."""
        points = [at for at, block in enumerate(blocks) if block.ttl]
        if not points:
            return NOTHING
        digests = _prefix_digests(model, blocks[: points[-1] + 1])
        lengths = list(accumulate(block.tokens for block in blocks[: points[-1] + 1]))
        points = [at for at in points if lengths[at] >= minimum]
        found = max((at for point in points for at in self._live(digests, point, now)), default=-1)
        read = lengths[found] if found >= 0 else 0
        written: dict[str, int] = {}
        behind = read
        for at in points:
            if at > found:
                ttl = str(blocks[at].ttl)
                written[ttl] = written.get(ttl, 0) + lengths[at] - behind
                behind = lengths[at]
        return Reading(read, written, tuple((digests[at], str(blocks[at].ttl)) for at in points))

    def keep(self, reading: Reading, now: float, ready_at: float) -> None:
        """Write what is new, and begin the lifetime of what was read anew."""
        for digest, ttl in reading.prefixes:
            known = self._kept.get(digest)
            ready = known.ready_at if known and known.expires_at > now else ready_at
            self._kept[digest] = Kept(ready, ready_at + SECONDS[ttl])

    def _live(self, digests: list[bytes], point: int, now: float) -> list[int]:
        """Return the positions at or shortly before a breakpoint whose prefix is there now."""
        live = []
        for at in range(max(0, point - LOOKBACK + 1), point + 1):
            kept = self._kept.get(digests[at])
            if kept is not None and kept.ready_at <= now < kept.expires_at:
                live.append(at)
        return live


def _prefix_digests(model: str, blocks: list[Block]) -> list[bytes]:
    """Return, for each block, the digest of everything up to and with it; where a breakpoint stands does not matter."""
    running = hashlib.blake2b(model.encode(), digest_size=16)
    digests = []
    for block in blocks:
        content = block.content
        if isinstance(content, dict):
            content = {key: value for key, value in content.items() if key != "cache_control"}
        running.update(orjson.dumps((block.role, content), option=orjson.OPT_SORT_KEYS))
        digests.append(running.copy().digest())
    return digests
