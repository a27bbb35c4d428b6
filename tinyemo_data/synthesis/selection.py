"""Selection: which of the records that passed their gates are kept, in their seeded order.

What is decided of a record depends on those before it: near-duplicates of a kept one are turned away, and records over
the number that was asked for are left out without being compared.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import polars as pl

from tinyemo_data.synthesis.funnel import ACCEPTED, SURPLUS
from tinyemo_data.synthesis.gates.near_duplicates import Batch, KeptTexts
from tinyemo_data.synthesis.gates.registry import NEAR_DUPLICATE
from tinyemo_data.synthesis.gates.sketches import Sketches

Place = tuple[str | None, str]  # emotion, task
# Records wanted of each emotion and task, or of some; None: as many as there are.
Quota = int | Mapping[Place, int] | None
DECISION = pl.Schema({"outcome": pl.String(), "gate": pl.String(), "reason": pl.String(), "detail": pl.String()})


class Selection:
    """Decides record after record."""

    def __init__(self, quota: Quota, similarity: float) -> None:
        """`similarity`: see KeptTexts."""
        self._quota = quota
        self._kept = KeptTexts(similarity)
        self._counts: Counter[Place] = Counter()

    def decide(self, records: pl.DataFrame, sketches: Sketches) -> pl.DataFrame:
        """Return the next records with `outcome`, and of near-duplicates `gate`, `reason` and `detail`."""
        batch = self._kept.open(sketches, records["draft_id"].to_list())
        places = zip(records["emotion"].to_list(), records["prompt"].to_list(), strict=True)
        decisions = pl.DataFrame(list(self._decide_each(batch, places)), schema=DECISION, orient="row")
        batch.close()
        return records.drop(DECISION.names(), strict=False).hstack(decisions)

    def _decide_each(self, batch: Batch, places: Iterator[Place]) -> Iterator[tuple[str | None, ...]]:
        for row, place in enumerate(places):
            if self._is_full(place):
                yield SURPLUS, None, None, None
                continue
            twin = batch.twin_of(row)
            if twin is not None:
                yield NEAR_DUPLICATE, NEAR_DUPLICATE, "near_duplicate", f"repeats most of {twin}"
                continue
            batch.keep(row)
            self._counts[place] += 1
            yield ACCEPTED, None, None, None

    def _is_full(self, place: Place) -> bool:
        wanted = self._quota.get(place) if isinstance(self._quota, Mapping) else self._quota
        return wanted is not None and self._counts[place] >= wanted
