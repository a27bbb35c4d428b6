"""The projector's own label of each picture: what instruct records are conditioned on where no annotator is asked."""

from collections.abc import Sequence

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.features.gather import datasets_at_hand, labelled_split
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.store import Store

SPLIT = "train"


def predict_labels(store: Store, slug: str, datasets: Sequence[str]) -> pl.DataFrame:
    """Return `sample_id`, `emotion`, `taxonomy` and `probability` of the train pictures of `datasets`.

    Each picture is given the nearest label of its own dataset's taxonomy. Raises StoreError where there is no
    projector or none of the datasets is at hand, CheckpointError where features and projector do not fit.
    """
    ensemble = load_checkpoint(store, read_prototypes(store), encoder=slug)
    used, _ = datasets_at_hand(store, slug, datasets)
    tables = []
    for name in used:
        labelled = labelled_split(store, slug, name, SPLIT)
        for vocabulary in sorted(set(labelled.taxonomies)):
            rows = [row for row, other in enumerate(labelled.taxonomies) if other == vocabulary]
            labels = taxonomy.get(vocabulary).labels
            probability, nearest = ensemble.probabilities(labelled.features[rows], labels).max(dim=1)
            tables.append(
                pl.DataFrame(
                    {
                        "sample_id": [labelled.sample_ids[row] for row in rows],
                        "emotion": [labels[place] for place in nearest.tolist()],
                        "taxonomy": [vocabulary] * len(rows),
                        "probability": probability.double().numpy(),
                    }
                )
            )
    return pl.concat(tables)
