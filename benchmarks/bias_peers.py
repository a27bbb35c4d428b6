"""What others would flag on the same predictions, to be measured beside the audit.

Fairlearn and SliceLine run as they are, where they are installed (`pip install '.[bench]'`; nothing else of the
project needs them). Of Fairlearn a `MetricFrame` an attribute gives the selection rate and the false positive rate of
"pred = e" with and without it: flagged is a difference beyond the 0.1 that fairness toolkits call unfair, and the
highest are taken too. SliceLine (Sagadeeva & Boehm 2021) looks for slices with most errors, of attributes
and the predicted emotion together; and, so that it may see the direction, for slices with most false alarms of each
emotion. It returns slices that score above zero alone: at its authors' alpha those of few pictures never do.
statsmodels gives the two-proportion test and the adjustment, scikit-learn a tree that is grown on the errors.

What ranks only is told how many pairs were planted. A slice is credited with the pairs of the attributes that its
pictures have and of the emotion it names, or else the one that is wrongly predicted in it most above the average.
"""

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.margins import predictions

Pairs = set[tuple[str, str]]
Metric = Callable[..., float]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
UNFAIR = 0.1
ALPHAS = (0.95, 0.99)  # of SliceLine: weight of the error against the size, its authors' and one for smaller slices
LEAST, SLICES = 30, 1_000  # pictures of a slice; slices to look through
PEERS = ("fairlearn", "sliceline")


def absent_peers() -> list[str]:
    """Return the packages that are not installed."""
    return [name for name in PEERS if importlib.util.find_spec(name) is None]


def flagged_by_peers(inputs: BiasInputs, count: int) -> dict[str, Pairs]:
    """Return the pairs that Fairlearn and SliceLine flag, as far as they are installed, or rank highest."""
    labels, predicted = inputs.audit.labels, predictions(inputs.similarities)
    seen = (labels, predicted, inputs.audit.attributes.values == 1, len(inputs.emotions), count)
    absent = absent_peers()
    found: dict[str, Flags] = {}
    if "fairlearn" not in absent:
        found |= _of_fairlearn(*seen)
    if "sliceline" not in absent:
        for alpha in ALPHAS:
            found[f"SliceLine, alpha {alpha}, attributes and prediction, top {count}"] = _of_errors(*seen, alpha)
        found[f"SliceLine, false alarms of each emotion, top {count}"] = _of_alarms(*seen)
    return {name: _named(inputs, flags) for name, flags in found.items()}


def flagged_by_tests(inputs: BiasInputs, count: int, q: float = 0.05) -> dict[str, Pairs]:
    """Return the pairs that a plain test of false alarms flags, and those that a tree of errors splits by."""
    labels, predicted = inputs.audit.labels, predictions(inputs.similarities)
    has, classes = inputs.audit.attributes.values == 1, len(inputs.emotions)
    found = {
        "two-proportion test of false alarms, BH": _tested(labels, predicted, has, classes, q),
        "error tree, its leaves' attributes": _of_tree(labels, predicted, has, classes, count),
    }
    return {name: _named(inputs, flags) for name, flags in found.items()}


def _named(inputs: BiasInputs, flags: Flags) -> Pairs:
    names = inputs.audit.attributes.names
    return {(names[attribute], inputs.emotions[e]) for e, attribute in np.argwhere(flags)}


def _top(scores: Floats, count: int) -> Flags:
    """Tell the `count` highest of (E, p); minus infinity is none."""
    flags = np.zeros(scores.size, dtype=bool)
    flags[np.argsort(-scores, axis=None, kind="stable")[:count]] = True
    return flags.reshape(scores.shape) & np.isfinite(scores)


def _of_fairlearn(labels: Integers, predicted: Integers, has: Flags, classes: int, count: int) -> dict[str, Flags]:
    metrics = importlib.import_module("fairlearn.metrics")
    kinds = {"selection rate": metrics.selection_rate, "false positive rate": metrics.false_positive_rate}
    rates = partial(_rates, tuple(kinds.values()), classes)
    differences = np.zeros((len(kinds), classes, has.shape[1]))
    for attribute in range(has.shape[1]):
        frame = metrics.MetricFrame(
            metrics=rates, y_true=labels, y_pred=predicted, sensitive_features=has[:, attribute]
        ).by_group
        # Fairlearn's own difference has no sign; here only what is predicted oftener with the attribute counts.
        differences[:, :, attribute] = frame.loc[True] - frame.loc[False]
    flagged: dict[str, Flags] = {}
    for kind, one in zip(kinds, differences, strict=True):
        flagged[f"Fairlearn, {kind} difference > 0.1"] = one > UNFAIR
        flagged[f"Fairlearn, {kind} difference, top {count}"] = _top(one, count)
    return flagged


def _rates(metrics: tuple[Metric, ...], classes: int, labels: Integers, predicted: Integers) -> Floats:
    """Return each metric of "pred = e" for every emotion, (metrics, E): one frame for all takes a third of the time."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    return np.array([[one(labels == e, predicted == e, pos_label=True) for e in range(classes)] for one in metrics])


def _of_errors(labels: Integers, predicted: Integers, has: Flags, classes: int, count: int, alpha: float) -> Flags:
    """Tell the pairs of the slices with most errors, of an attribute, two, or one and the predicted emotion."""
    excess = _excess(labels, predicted, has, classes)
    scores = np.full(excess.shape, -np.inf)
    columns = np.column_stack([has.astype(np.int64), predicted])
    for slice_, score in _slices(columns, predicted != labels, 2, alpha):
        present = [column for column, value in slice_.items() if column < has.shape[1] and value == 1]
        for column in present:
            e = slice_.get(has.shape[1], int(excess[:, column].argmax()))
            scores[e, column] = max(scores[e, column], score)
    return _top(scores, count)


def _of_alarms(labels: Integers, predicted: Integers, has: Flags, classes: int, count: int) -> Flags:
    """Tell the attributes with most false alarms of each emotion, among pictures of the others."""
    scores = np.full((classes, has.shape[1]), -np.inf)
    for e in range(classes):
        rows = labels != e
        for slice_, score in _slices(has[rows].astype(np.int64), predicted[rows] == e, 1, ALPHAS[0]):
            ((column, value),) = slice_.items()
            if value == 1:
                scores[e, column] = score
    return _top(scores, count)


def _slices(columns: Integers, wrong: Flags, most: int, alpha: float) -> list[tuple[dict[int, int], float]]:
    """Return SliceLine's best slices of up to `most` conditions: {column: value}, and their scores."""
    finder = importlib.import_module("sliceline.slicefinder").Slicefinder(
        alpha=alpha, k=SLICES, max_l=most, min_sup=LEAST, verbose=False
    )
    finder.fit(columns, wrong.astype(np.float64))
    if not len(finder.top_slices_):
        return []
    return [
        ({column: int(value) for column, value in enumerate(one) if value is not None}, float(told["slice_score"]))
        for one, told in zip(finder.top_slices_, finder.top_slices_statistics_, strict=True)
    ]


def _tested(labels: Integers, predicted: Integers, has: Flags, classes: int, q: float) -> Flags:
    """Tell the pairs whose false positive rate is higher with the attribute, by statsmodels."""
    p = np.ones((classes, has.shape[1]))
    for e in range(classes):
        rows = labels != e
        said, within = predicted[rows] == e, has[rows]
        for attribute in range(has.shape[1]):
            column = within[:, attribute]
            counts = [said[column].sum(), said[~column].sum()]
            if sum(counts):
                p[e, attribute] = proportions_ztest(counts, [column.sum(), (~column).sum()], alternative="larger")[1]
    rejected: Flags = multipletests(p.ravel(), q, method="fdr_bh")[0].reshape(p.shape)
    return rejected


def _excess(labels: Integers, predicted: Integers, has: Flags, classes: int) -> Floats:
    """Return by how much oftener e is predicted wrongly in a slice than elsewhere, (E, p)."""
    wrongly = np.stack([(predicted == e) & (labels != e) for e in range(classes)])
    excess: Floats = wrongly @ has / has.sum(axis=0) - wrongly @ ~has / (~has).sum(axis=0)
    return excess


def _of_tree(labels: Integers, predicted: Integers, has: Flags, classes: int, count: int) -> Flags:
    """Tell the pairs of the attributes that a tree of `count` leaves splits the errors by."""
    tree = DecisionTreeClassifier(max_leaf_nodes=count + 1, min_samples_leaf=LEAST, random_state=0)
    tree.fit(has, predicted != labels)
    excess = _excess(labels, predicted, has, classes)
    flags = np.zeros(excess.shape, dtype=bool)
    for attribute in set(tree.tree_.feature.tolist()):
        if attribute >= 0:
            flags[excess[:, attribute].argmax(), attribute] = True
    return flags
