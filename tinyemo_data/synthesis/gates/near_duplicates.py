"""Near-duplicates: texts that share most of their shingles with one that was kept before; the first one stays.

rensa's own indices take 1 to 1.6 GB for 700,000 texts and compare with all that a bucket holds, which formulaic texts
make quadratic. Here buckets hold the first few and lie in columns; in a crowded bucket a twin that is no equal may be
missed, an equal text never is.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from tinyemo_data.synthesis.gates.sketches import PERMUTATIONS, Signatures, Sketches
from tinyemo_data.synthesis.gates.words import Hashes

BUCKET = 4  # texts that a bucket holds
ENTRIES = pl.Schema({"bucket": pl.UInt64(), "text": pl.UInt32()})


class KeptTexts:
    """The texts that were kept so far, by their sketches. Memory: 0.4 kB a text and the name of its draft."""

    def __init__(self, similarity: float) -> None:
        """Texts whose estimated Jaccard similarity is `similarity` (0–1) or more are near-duplicates."""
        self._agreeing = int(np.ceil(similarity * PERMUTATIONS))
        self._entries = pl.DataFrame(schema=ENTRIES)
        self._signatures: Signatures = np.empty((1024, PERMUTATIONS), np.uint32)
        self._drafts: list[str] = []

    def open(self, sketches: Sketches, drafts: Sequence[str]) -> "Batch":
        """Return the next texts, to be gone through in their order; `drafts` are what they were drafted from."""
        return Batch(self, sketches, drafts)

    def find(self, buckets: Hashes) -> dict[int, list[int]]:
        """Return the kept texts of those of the buckets that have any, in the order of keeping."""
        asked = pl.DataFrame({"bucket": buckets.ravel()}, schema={"bucket": pl.UInt64})
        found = self._entries.join(asked.unique(), on="bucket", how="semi").sort("bucket", "text")
        filled: dict[int, list[int]] = {}
        for bucket, text in found.iter_rows():
            filled.setdefault(bucket, []).append(text)
        return filled

    def first_twin(self, signature: Signatures, draft: str, candidates: Sequence[int]) -> str | None:
        """Return the draft of the first candidate that a text is a near-duplicate of; its own draft's are none."""
        others = [text for text in candidates if self._drafts[text] != draft]
        if not others:
            return None
        agreeing = (self._signatures[others] == signature).sum(axis=1) >= self._agreeing
        return self._drafts[others[int(agreeing.argmax())]] if agreeing.any() else None

    def make_room(self, count: int) -> None:
        """Have room for the signatures of `count` texts more."""
        wanted = len(self._drafts) + count
        if wanted > len(self._signatures):
            room = np.empty((max(wanted, 2 * len(self._signatures)), PERMUTATIONS), np.uint32)
            room[: len(self._drafts)] = self._signatures[: len(self._drafts)]
            self._signatures = room

    def add(self, draft: str) -> int:
        """Keep a text; return its number. Its signature follows."""
        self._drafts.append(draft)
        return len(self._drafts) - 1

    def sign(self, numbers: list[int], signatures: Signatures) -> None:
        """Set the signatures of kept texts."""
        self._signatures[numbers] = signatures

    def enter(self, entries: pl.DataFrame) -> None:
        """Put texts into buckets."""
        self._entries = pl.concat([self._entries, entries])


class Batch:
    """Some texts on their way in. What it says does not depend on how texts are cut into batches."""

    def __init__(self, kept: KeptTexts, sketches: Sketches, drafts: Sequence[str]) -> None:
        """`kept`: what came before."""
        self._kept, self._sketches, self._drafts = kept, sketches, drafts
        flat = pl.Series(sketches.buckets.ravel(), dtype=pl.UInt64)
        self._shared = kept.find(sketches.buckets)
        for bucket in flat.filter(flat.is_duplicated()).unique():
            self._shared.setdefault(bucket, [])
        is_shared = flat.is_in(pl.Series(list(self._shared), dtype=pl.UInt64).implode())
        self._is_shared = is_shared.to_numpy().reshape(sketches.buckets.shape)
        self._meets_any: list[bool] = np.any(self._is_shared, axis=1).tolist()
        self._added: list[tuple[int, int]] = []  # entries of shared buckets
        self._rows: list[int] = []  # of this batch, that were kept
        self._numbers: list[int] = []
        kept.make_room(len(drafts))

    def twin_of(self, row: int) -> str | None:
        """Return the draft of the first kept text that this one repeats, or None."""
        if not self._meets_any[row]:
            return None
        candidates = {text for bucket in self._shared_buckets(row) for text in self._shared[bucket]}
        return self._kept.first_twin(self._sketches.signatures[row], self._drafts[row], sorted(candidates))

    def keep(self, row: int) -> None:
        """Keep a text: later ones are compared with it."""
        number = self._kept.add(self._drafts[row])
        self._rows.append(row)
        self._numbers.append(number)
        if not self._meets_any[row]:
            return
        self._kept.sign([number], self._sketches.signatures[[row]])
        for bucket in self._shared_buckets(row):
            texts = self._shared[bucket]
            if len(texts) < BUCKET:
                texts.append(number)
                self._added.append((bucket, number))

    def close(self) -> None:
        """Put what was kept where later batches find it."""
        rows, numbers = np.array(self._rows, np.int64), np.array(self._numbers, np.uint32)
        self._kept.sign(self._numbers, self._sketches.signatures[rows])
        alone = ~self._is_shared[rows]
        buckets = self._sketches.buckets[rows][alone]
        texts = np.repeat(numbers, alone.sum(axis=1))
        self._kept.enter(pl.DataFrame({"bucket": buckets, "text": texts}, schema=ENTRIES))
        self._kept.enter(pl.DataFrame(self._added, schema=ENTRIES, orient="row"))

    def _shared_buckets(self, row: int) -> list[int]:
        buckets: list[int] = self._sketches.buckets[row][self._is_shared[row]].tolist()
        return buckets
