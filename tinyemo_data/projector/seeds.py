"""Training an ensemble seed by seed; a seed that is finished is on disk and is not trained again.

A killed run loses the seed in training, and no more: what it finished is found again under the fingerprint of
all that decides its weights. A damaged file of a finished seed is trained anew.
"""

import hashlib
import logging
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass

import orjson
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors

from tinyemo_data.errors import CheckpointError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.batches import check_trainable, digest_of_data
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of
from tinyemo_data.projector.model import projector_of
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.training import EpochLog, TrainedProjector, prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings
from tinyemo_data.store import Store

SEEDS = "models/projector/seeds"
# Raised when training changes what a seed gives, so that older finished seeds are not taken for new ones.
RECIPE = 1
# Settings that choose what is trained, or how it is chosen, but not what a seed's weights become.
NOT_OF_A_SEED = {"checkpoint", "train_on", "seeds", "candidates", "folds"}

logger = logging.getLogger(__name__)

# (seed, the epoch just done, seconds left for all seeds by the pace so far)
Progress = Callable[[int, EpochLog, float], None]


@dataclass(frozen=True)
class TrainedEnsemble:
    """An ensemble, the course of each of its seeds, and the digest of the rows that made it."""

    ensemble: ProjectorEnsemble
    courses: list[TrainedProjector]
    data_digest: str
    reused: list[int]  # seeds that were finished before


def train_ensemble(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    store: Store | None = None,
    progress: Progress | None = None,
) -> TrainedEnsemble:
    """Train one projector a seed of settings.seeds on `labelled` (train rows alone).

    With a `store`, finished seeds are kept in it and reused. Raises TrainingError, CheckpointError (a label
    without a prototype) or StoreError.
    """
    check_trainable(labelled)
    data_digest = digest_of_data(labelled)
    fingerprint = fingerprint_of(settings, data_digest, prototypes)
    seeds = list(dict.fromkeys(settings.seeds))
    courses: list[TrainedProjector] = []
    reused: list[int] = []
    for number, seed in enumerate(seeds):
        finished = store and _finished(store, fingerprint, seed)
        if finished:
            reused.append(seed)
        course = finished or train_projector(
            labelled, prototypes, settings, seed, progress and _paced(progress, seed, len(seeds) - number - 1)
        )
        if store and not finished:
            _keep(store, fingerprint, course)
        courses.append(course)
    used = prototypes_in_use(prototypes, settings)
    ensemble = ensemble_of([course.projector for course in courses], seeds, used, settings.temperature)
    return TrainedEnsemble(ensemble, courses, data_digest, reused)


def fingerprint_of(settings: ProjectorSettings, data_digest: str, prototypes: Prototypes) -> str:
    """Return the digest, 32 hex digits, of all that decides the weights of a seed."""
    decisive = settings.model_dump(exclude=NOT_OF_A_SEED)
    content = orjson.dumps([RECIPE, decisive, data_digest, prototypes.digest], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:32]


def seed_key(fingerprint: str, seed: int) -> str:
    """Return the store key of a finished seed."""
    return f"{SEEDS}/{fingerprint}-{seed}.safetensors"


def forget_other_seeds(store: Store, fingerprint: str) -> None:
    """Remove finished seeds of other settings, data or prototypes, once a complete model replaced them."""
    for key in store.keys(SEEDS):
        if not key.startswith(f"{SEEDS}/{fingerprint}-"):
            store.remove(key)


def _paced(progress: Progress, seed: int, seeds_left: int) -> Callable[[EpochLog], None]:
    paces: list[float] = []

    def tell(log: EpochLog) -> None:
        paces.append(log.seconds)
        epochs_left = log.epochs - log.epoch + seeds_left * log.epochs
        progress(seed, log, statistics.fmean(paces) * epochs_left)

    return tell


def _keep(store: Store, fingerprint: str, course: TrainedProjector) -> None:
    log = [{key: value for key, value in asdict(line).items() if key != "seconds"} for line in course.log]
    told = orjson.dumps({"best_epoch": course.best_epoch, "log": log}).decode()
    # In memory first: `save_file` makes a temporary file of its own, which a kill leaves in the store.
    content = to_safetensors(course.projector.state_dict(), metadata={"course": told})
    store.write_bytes(seed_key(fingerprint, course.seed), content)


def _finished(store: Store, fingerprint: str, seed: int) -> TrainedProjector | None:
    """Return a finished seed, or None where there is none that can be read."""
    key = seed_key(fingerprint, seed)
    if not store.exists(key):
        return None
    try:
        with store.local(key) as path, safe_open(path, framework="pt") as file:
            told = orjson.loads(file.metadata()["course"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        projector = projector_of(weights, str(store.path(key)))
        log = [EpochLog(**line, seconds=0.0) for line in told["log"]]
        return TrainedProjector(projector, seed, int(told["best_epoch"]), log)
    except (SafetensorError, CheckpointError, KeyError, TypeError, orjson.JSONDecodeError) as exc:
        logger.warning("%s is damaged (%s): seed %d is trained again.", store.path(key), exc, seed)
        return None
