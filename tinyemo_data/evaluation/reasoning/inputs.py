"""All that the figures are of, but the answers: pictures, the projector's labels, and the annotators' words."""

from dataclasses import dataclass

from tinyemo_data.audit.leakage import twins_of_training
from tinyemo_data.evaluation.reasoning.grounding import datasets_with_lists
from tinyemo_data.evaluation.reasoning.held_out import Drawn, draw_held_out
from tinyemo_data.evaluation.reasoning.mentions import Vocabulary, vocabulary_of
from tinyemo_data.evaluation.reasoning.projector_labels import ProjectorLabels, predict_held_out
from tinyemo_data.features.gather import datasets_at_hand, missing_note
from tinyemo_data.sample import SPLITS
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.materialize import picture_roots
from tinyemo_data.synthesis.records import iterate_records
from tinyemo_data.synthesis.subjects import Subjects


@dataclass(frozen=True)
class Inputs:
    """What models are asked about, and what their answers are compared with."""

    drawn: Drawn
    projector: ProjectorLabels
    vocabulary: Vocabulary  # of all splits: what is never annotated can't be told from what is not there
    listing: set[str]  # datasets whose annotators list objects
    learnt_from: list[str]  # datasets
    notes: list[str]


def gather(store: Store, settings: Settings, encoder: str) -> Inputs:
    """Draw held-out pictures of the datasets that are learnt from or evaluated, and are at hand.

    `encoder` is the slug of the projector's features. Raises StoreError where a set, the projector or the leakage
    report is absent, TableError where no picture is left, and CheckpointError.
    """
    wanted = list(dict.fromkeys([*settings.synthesis.datasets, *settings.evaluation.datasets]))
    used, missing = datasets_at_hand(store, encoder, wanted)
    projector = predict_held_out(store, encoder, used)
    learnt_from = list(dict.fromkeys([*projector.trained_on, *_datasets_of_sets(store, settings)]))
    drawn = draw_held_out(
        store,
        picture_roots(settings, used),
        encoder,
        projector.labels,
        twins_of_training(store, learnt_from, compared=used),
        settings.evaluation.reasoning.pictures,
        settings.evaluation.seed,
    )
    listing = datasets_with_lists(drawn.pictures)
    facts = (one.facts for one in Subjects(store, sorted(listing), splits=SPLITS))
    notes = [missing_note(name) for name in missing]
    return Inputs(drawn, projector, vocabulary_of(facts), listing, learnt_from, notes)


def _datasets_of_sets(store: Store, settings: Settings) -> list[str]:
    """Return the datasets of the records that both stages learn from, sorted."""
    sets = sorted({*settings.mm_llm.pretrain.sets, *settings.mm_llm.finetune.sets})
    return sorted({name for one in sets for part in iterate_records(store, one) for name in part["dataset"].unique()})
