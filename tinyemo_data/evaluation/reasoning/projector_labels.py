"""The projector's label of each held-out picture: what the MM-LLM is told where the label is predicted."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyemo_data import taxonomy
from tinyemo_data.evaluation.materialize import refuse_other_training_rows
from tinyemo_data.evaluation.reasoning.held_out import SPLITS
from tinyemo_data.features.gather import labelled_split
from tinyemo_data.projector.checkpoint import load_checkpoint, read_config
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.store import Store


@dataclass(frozen=True)
class ProjectorLabels:
    """Labels by sample id, and whose they are."""

    labels: dict[str, str]
    digest: str  # of the projector's weights
    trained_on: list[str]  # datasets; empty: nobody told


def predict_held_out(store: Store, encoder: str, datasets: Sequence[str]) -> ProjectorLabels:
    """Predict every labelled picture of the validation and test splits, each among the labels of its own taxonomy.

    `encoder` is the slug of the features. Raises StoreError where there is no projector, CheckpointError where it does
    not fit the features, or learnt from other rows than the store's train splits hold now.
    """
    config = read_config(store)
    ensemble = load_checkpoint(store, read_prototypes(store), encoder=encoder)
    refuse_other_training_rows(store, encoder, config)
    found: dict[str, str] = {}
    for dataset in datasets:
        for split in SPLITS:
            part = labelled_split(store, encoder, dataset, split)
            for name in sorted(set(part.taxonomies)):
                rows = [row for row, other in enumerate(part.taxonomies) if other == name]
                labels = taxonomy.get(name).labels
                nearest = ensemble.predict(part.features[rows], labels).tolist()
                found |= {part.sample_ids[row]: labels[place] for row, place in zip(rows, nearest, strict=True)}
    return ProjectorLabels(found, ensemble.digest, list(config["rows"] or ()))
