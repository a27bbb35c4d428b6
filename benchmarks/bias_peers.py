"""What others would flag on the same predictions, to be measured beside the audit.

Fairlearn (`MetricFrame(...).difference()`) and SliceLine are not among this project's packages, so their formulas
are computed here: of Fairlearn the difference between groups of the selection rate (`pred = e`), and of the false
positive rate, beyond the 0.1 that fairness toolkits call unfair; of SliceLine (Sagadeeva & Boehm 2021, eq. 5) the
score of slices that one attribute, or attribute and predicted emotion, make. statsmodels gives the two-proportion
test and the adjustment, scikit-learn a tree that is grown on the errors. A slice is credited with the pair of its
attribute and the emotion that is wrongly predicted in it most above the average.
"""

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.margins import predictions

Pairs = set[tuple[str, str]]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
UNFAIR = 0.1
ALPHA = 0.95  # of SliceLine: weight of the error against the size


def flagged_by_peers(inputs: BiasInputs, count: int, q: float = 0.05) -> dict[str, Pairs]:
    """Return the pairs that each peer flags; those that only rank give their `count` highest."""
    labels, predicted = inputs.audit.labels, predictions(inputs.similarities)
    has = inputs.audit.attributes.values == 1
    selection, false_positive = _differences(labels, predicted, has, len(inputs.emotions))
    error, chosen = _line_scores(labels, predicted, has, len(inputs.emotions))
    return {
        "selection rate difference > 0.1": _named(inputs, selection > UNFAIR),
        "false positive rate difference > 0.1": _named(inputs, false_positive > UNFAIR),
        f"false positive rate difference, top {count}": _named(inputs, _top(false_positive, count)),
        "two-proportion test of it, BH": _named(inputs, _tested(labels, predicted, has, len(inputs.emotions), q)),
        f"SliceLine score of the attribute, top {count}": _named(inputs, _top(error, count)),
        f"SliceLine score of attribute and prediction, top {count}": _named(inputs, _top(chosen, count)),
        "error tree, its leaves' attributes": _named(inputs, _of_tree(labels, predicted, has, count, inputs)),
    }


def _named(inputs: BiasInputs, flags: Flags) -> Pairs:
    names = inputs.audit.attributes.names
    return {(names[attribute], inputs.emotions[e]) for e, attribute in np.argwhere(flags)}


def _top(scores: Floats, count: int) -> Flags:
    """Tell the `count` highest of (E, p)."""
    flags = np.zeros(scores.size, dtype=bool)
    flags[np.argsort(-scores, axis=None, kind="stable")[:count]] = True
    return flags.reshape(scores.shape)


def _differences(labels: np.ndarray, predicted: np.ndarray, has: Flags, classes: int) -> tuple[Floats, Floats]:
    """Return of `pred = e` the difference of rates with and without the attribute: of all, and of other emotions."""
    found = np.zeros((2, classes, has.shape[1]))
    for e in range(classes):
        for kind, rows in enumerate((np.ones(len(labels), bool), labels != e)):
            said, within = predicted[rows] == e, has[rows]
            found[kind, e] = said @ within / within.sum(axis=0) - said @ ~within / (~within).sum(axis=0)
    return found[0], found[1]


def _tested(labels: np.ndarray, predicted: np.ndarray, has: Flags, classes: int, q: float) -> Flags:
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


def _line_scores(labels: np.ndarray, predicted: np.ndarray, has: Flags, classes: int) -> tuple[Floats, Floats]:
    """Return SliceLine's score of the slices (a), credited to one emotion each, and of the slices (a, pred = e)."""
    wrong = predicted != labels
    excess = _excess(labels, predicted, has, classes)
    credited = np.full(excess.shape, -np.inf)
    joint = np.full(excess.shape, -np.inf)
    for attribute in range(has.shape[1]):
        credited[excess[:, attribute].argmax(), attribute] = _score(wrong, has[:, attribute])
        for e in range(classes):
            joint[e, attribute] = _score(wrong, has[:, attribute] & (predicted == e))
    return credited, joint


def _score(wrong: Flags, members: Flags) -> float:
    size = int(members.sum())
    if size == 0:
        return -np.inf
    n, mean = len(wrong), wrong.mean()
    return float(ALPHA * (wrong[members].mean() / mean - 1) - (1 - ALPHA) * (n / size - 1))


def _excess(labels: np.ndarray, predicted: np.ndarray, has: Flags, classes: int) -> Floats:
    """Return by how much oftener e is predicted wrongly in a slice than elsewhere, (E, p)."""
    wrongly = np.stack([(predicted == e) & (labels != e) for e in range(classes)])
    excess: Floats = wrongly @ has / has.sum(axis=0) - wrongly @ ~has / (~has).sum(axis=0)
    return excess


def _of_tree(labels: np.ndarray, predicted: np.ndarray, has: Flags, count: int, inputs: BiasInputs) -> Flags:
    """Tell the pairs of the attributes that a tree of `count` leaves splits the errors by."""
    tree = DecisionTreeClassifier(max_leaf_nodes=count + 1, min_samples_leaf=30, random_state=0)
    tree.fit(has, predicted != labels)
    excess = _excess(labels, predicted, has, len(inputs.emotions))
    flags = np.zeros(excess.shape, dtype=bool)
    for attribute in set(tree.tree_.feature.tolist()):
        if attribute >= 0:
            flags[excess[:, attribute].argmax(), attribute] = True
    return flags
