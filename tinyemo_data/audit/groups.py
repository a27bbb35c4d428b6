"""Groups of samples that show the same picture: connected components of the pairs.

A split that keeps groups together can't leak; the bias audit halves its pictures by them.
"""

import numpy as np
import polars as pl


def with_groups(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add the column `group`: the smallest sample id that is linked to `first` and `second` over any pairs."""
    import scipy.sparse  # here: a light import of this room's tables shall stay light

    ids = pl.concat([pairs["first"], pairs["second"]]).unique().sort()
    first, second = (ids.search_sorted(pairs[name]).to_numpy() for name in ("first", "second"))
    links = scipy.sparse.coo_array((np.ones(len(pairs), bool), (first, second)), shape=(len(ids), len(ids)))
    _, component = scipy.sparse.csgraph.connected_components(links, directed=False)
    named = pl.DataFrame({"id": ids, "component": component}).with_columns(group=pl.col("id").min().over("component"))
    return pairs.with_columns(group=named["group"].gather(first))


def group_of_samples(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return `sample_id` and `group` of every sample that has a twin, sorted; others are alone in theirs."""
    sides = [pairs.select(sample_id=name, group="group") for name in ("first", "second")]
    return pl.concat(sides).unique().sort("sample_id")
