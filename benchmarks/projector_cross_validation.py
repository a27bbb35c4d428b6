"""The projector of the `emotion6` profile against logistic regression, cross-validated on real features.

`python -m benchmarks.projector_cross_validation` reads the train folder of the released Emotion6 features under
`$TINYEMO_SHARED` (never its validation folder) and compares on 3 × 5 folds that all share: the projector with the
profile's settings (its seeds' ensemble) and z-scored logistic regression, at scikit-learn's default C and at a C that
is tuned on each fold's train part. Prototypes are those of the profile's own language model, which without
`TINYEMO_LANGUAGE_MODEL` is the small one made on the spot; `--width 1280` takes random points of that width instead.
`--set max_learning_rate=0.001` tries another setting. PASS: the mean is no more than 0.5 points under either of them.
"""

import argparse
import statistics
import tempfile
import time

import numpy as np
import numpy.typing as npt
import torch
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.released_emotion6 import train_features
from tinyemo_data import settings as profiles
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.cross_validation import cross_validate, paired_difference
from tinyemo_data.projector.materialize import all_labels, materialize_prototypes
from tinyemo_data.projector.partition import fold_numbers
from tinyemo_data.projector.prototypes import Prototypes, with_digest
from tinyemo_data.projector.selection import overridden
from tinyemo_data.store import Store

FOLDS, REPEATS = 5, 3
TOLERANCE = 0.5  # points of top-1
CS = [0.0003, 0.001, 0.003, 0.01]  # around the best C; the default of 1 overfits
Floats = npt.NDArray[np.float32]


def prototypes_of_profile(settings: profiles.Settings) -> Prototypes:
    with tempfile.TemporaryDirectory() as folder:
        return materialize_prototypes(Store(folder), settings, settings.projector.grounding_text).prototypes


def random_prototypes(width: int) -> Prototypes:
    """Random points with a common direction, as the embeddings of real language models have one."""
    words = all_labels()
    generator = torch.Generator().manual_seed(0)
    shared = 2 * torch.randn(1, width, generator=generator)
    points = torch.randn(len(words), width, generator=generator) + shared
    return with_digest(words, points, {}, f"random points of width {width}", "{emotion}")


def logistic(tuned: bool) -> Pipeline | GridSearchCV:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return GridSearchCV(model, {"logisticregression__C": CS}, cv=3) if tuned else model


def logistic_top1(labelled: LabelledFeatures, tuned: bool) -> list[float]:
    features: Floats = labelled.features.float().numpy()
    emotions = np.array(labelled.emotions)
    found = []
    for repeat in range(REPEATS):
        numbers = fold_numbers(labelled, FOLDS, repeat).numpy()
        for fold in range(FOLDS):
            train, held_out = numbers != fold, numbers == fold
            model = logistic(tuned).fit(features[train], emotions[train])
            found.append(float((model.predict(features[held_out]) == emotions[held_out]).mean()))
    return found


def report(name: str, top1: list[float], ours: list[float]) -> float:
    """Print a row of the table; return by how many points `ours` is better."""
    difference, standard_error = paired_difference(ours, top1)
    paired = "" if ours is top1 else f"{100 * difference:+9.2f} ± {100 * standard_error:.2f}"
    print(f"{name:<44}{100 * statistics.fmean(top1):8.2f}{100 * statistics.stdev(top1):10.2f}{paired:>20}", flush=True)
    return 100 * difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--width", type=int, help="random prototypes of this width, in place of the profile's")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another projector setting")
    arguments = parser.parse_args()
    settings = profiles.load("emotion6")
    overrides = {key: yaml.safe_load(value) for key, _, value in (pair.partition("=") for pair in arguments.set)}
    projector = overridden(settings.projector, overrides)
    prototypes = random_prototypes(arguments.width) if arguments.width else prototypes_of_profile(settings)
    labelled = train_features()
    print(f"N {len(labelled)} (train folder alone), {FOLDS} folds × {REPEATS} seeds of folds (0-{REPEATS - 1})")
    print(f"prototypes: {prototypes.language_model}, h {prototypes.dimension}")
    print(f"projector: {projector.model_dump(exclude={'candidates', 'train_on', 'checkpoint', 'folds'})}\n")
    began = time.perf_counter()
    results = [cross_validate(labelled, prototypes, projector, FOLDS, repeat) for repeat in range(REPEATS)]
    seconds = time.perf_counter() - began
    ours = [value for result in results for value in result.top1]
    singles = [value for result in results for value in result.seed_top1]
    print(f"{'':<44}{'top-1 %':>8}{'sd folds':>10}{'ours minus it':>20}")
    report(f"projector, ensemble of {len(projector.seeds)} ({seconds:.0f} s)", ours, ours)
    report("projector, one seed", singles, ours)
    default = report("z-scored logistic regression, C 1 (default)", logistic_top1(labelled, tuned=False), ours)
    tuned = report("z-scored logistic regression, C tuned", logistic_top1(labelled, tuned=True), ours)
    passed = min(default, tuned) >= -TOLERANCE
    print(f"\n{'PASS' if passed else 'FAIL'}: at most {TOLERANCE} points under logistic regression")
    raise SystemExit(0 if passed else 1)


if __name__ == "__main__":
    main()
