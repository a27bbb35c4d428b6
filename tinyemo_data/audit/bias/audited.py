"""What the audit looks at in a store: each dataset's pictures that the projector never saw, and their attributes.

Of a dataset that was learnt from, these are its other splits; of any other, all. Pictures with a twin in a training
split are left out, or the audit would look at what was learnt.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from tinyemo_data.audit.bias.annotated import annotated_attributes
from tinyemo_data.features.labelled import labelled_features
from tinyemo_data.features.statistics_table import read_statistics, statistics_key
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.sample import SPLITS, read_samples
from tinyemo_data.store import Store

HELD_OUT = tuple(split for split in SPLITS if split != "train")


@dataclass(frozen=True)
class Audited:
    """The pictures of one dataset that are audited, of one taxonomy."""

    dataset: str
    taxonomy: str
    pictures: LabelledFeatures
    twins: int  # pictures left out: a training split shows them, too


@dataclass(frozen=True)
class NotAudited:
    """A dataset that was not audited, and why."""

    dataset: str
    reason: str


def find_audited(
    store: Store, slug: str, name: str, train: LabelledFeatures, twins: Collection[str]
) -> Audited | NotAudited:
    """Return what there is to audit of a dataset, or why there is nothing. `train` is what was learnt from."""
    learnt = name in set(train.datasets)
    found = labelled_features(store, slug, name, read_samples(store, name), HELD_OUT if learnt else SPLITS)
    where = "in its test and validation splits" if learnt else "in any split"
    if not len(found):
        return NotAudited(name, f"There is no labelled picture with a feature {where}.")
    kept = [row for row, sample_id in enumerate(found.sample_ids) if sample_id not in twins]
    if not kept:
        return NotAudited(name, f"All its {len(found)} pictures {where} have a twin in a training split.")
    of_name = found.taxonomies[0]
    if of_name not in set(train.taxonomies):
        return NotAudited(name, f"Its labels are of {of_name}, and the projector learnt no label of that taxonomy.")
    return Audited(name, of_name, found.select(kept), len(found) - len(kept))


def attributes_of(
    store: Store, slug: str, taxonomy: str, audited: Sequence[Audited], train: LabelledFeatures, least: int
) -> pl.DataFrame:
    """Return the attributes of the audited and the training pictures of one taxonomy, cut alike for all.

    `least` is how many pictures must have an attribute.
    """
    chosen = [row for row, name in enumerate(train.taxonomies) if name == taxonomy]
    parts = [*(one.pictures for one in audited), train.select(chosen)]
    wanted: dict[str, set[str]] = {}
    for part in parts:
        for sample_id, name in zip(part.sample_ids, part.datasets, strict=True):
            wanted.setdefault(name, set()).add(sample_id)
    samples = pl.concat([_rows(store, name, ids) for name, ids in wanted.items()])
    measured = [read_statistics(store, slug, name) for name in wanted if store.exists(statistics_key(slug, name))]
    return annotated_attributes(samples, pl.concat(measured) if measured else None, least)


def known_attributes(attributes: pl.DataFrame, sample_ids: Sequence[str]) -> pl.DataFrame:
    """Leave out the attributes that nobody looked at in any of the given pictures."""
    among = attributes.filter(pl.col("sample_id").is_in(list(sample_ids)))
    return attributes.select(name for name in attributes.columns if among[name].null_count() < len(among))


def _rows(store: Store, name: str, ids: set[str]) -> pl.DataFrame:
    samples = read_samples(store, name).select("sample_id", "object", "attributes")
    return samples.filter(pl.col("sample_id").is_in(list(ids)))
