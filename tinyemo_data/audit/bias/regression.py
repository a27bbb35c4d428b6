"""Joint least squares of margins on class and all attributes, for all emotions from one pass over the pictures.

`margin_e ~ 1[y] + X` over pictures of other emotions than e, with standard errors that hold for unequal variances
and for image groups: CR3, the jackknife over groups (Bell & McCaffrey 2002), which for groups of one picture is HC3
(MacKinnon & White 1985). Cost: N p² for cross products of the classes, shared by all emotions, and N p² for the
leverages of each emotion; one outcome more costs N p.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from tinyemo_data.audit.bias.attributes import Flags, Floats, Integers
from tinyemo_data.audit.bias.design import Block, Design

# A column whose square length shrinks to this part of it beside the others is a combination of them.
DEPENDENT = 1e-9


@dataclass(frozen=True)
class Effects:
    """Effects of attributes (p) on outcomes (K) that there is one of for each emotion (E)."""

    coefficients: Floats  # (K, E, p), in the outcome's unit; NaN where none can be told
    standard_errors: Floats  # (K, E, p)
    deviations: Floats  # (K, E): standard deviation of the outcome within classes
    degrees: Floats  # (E,) of freedom: image groups less parameters
    inverses: Floats  # (E, p + k, p + k) of the cross products; zero where a column takes no part
    all_coefficients: Floats  # (K, E, p + k)
    outcome_means: Floats  # (K, E, E): mean of outcome e in class c
    dependent: Flags  # (E, p): a combination of the other attributes


def regress(design: Design, outcomes: Floats, taken: Flags, own_class: bool = False) -> Effects:
    """Regress outcomes (K, E, N) on the design, outcome e over pictures of other classes than e.

    `own_class` takes the pictures of class e itself. `taken` (E, p + k) says which columns take part in the
    regression of each emotion.
    """
    grams, moments, means, squares = _cross_products(design, outcomes)
    classes = design.classes
    among = np.eye(classes, dtype=bool) if own_class else ~np.eye(classes, dtype=bool)  # (E, C)
    among &= design.counts >= 2  # a class of one picture is its own mean
    inverses = np.zeros((classes, design.columns, design.columns))
    coefficients = np.full((len(outcomes), classes, design.columns), np.nan)
    independent = np.zeros_like(taken)
    for e in range(classes):
        gram = grams[among[e]].sum(axis=0)
        used = _independent(gram, np.flatnonzero(taken[e]))
        independent[e, used] = True
        inverses[e][np.ix_(used, used)] = np.linalg.inv(gram[np.ix_(used, used)])
        moment = moments[:, :, :, e][:, among[e]].sum(axis=1)  # (K, p + k)
        coefficients[:, e] = np.where(independent[e], moment @ inverses[e], np.nan)
    variances, groups = _variances(design, outcomes, among, inverses, np.nan_to_num(coefficients), means)
    parameters = independent.sum(axis=1) + among.sum(axis=1)
    freedom = among @ design.counts - among.sum(axis=1)
    within = np.einsum("kce,ec->ke", squares, among) / np.maximum(freedom, 1)
    p = design.attributes
    errors = np.sqrt(np.where(independent[:, :p], variances, np.nan))
    dependent = (taken & ~independent)[:, :p]
    degrees = np.maximum(groups - parameters, 1).astype(np.float64)
    return Effects(
        coefficients[:, :, :p], errors, np.sqrt(within), degrees, inverses, coefficients, means, dependent
    )  # fmt: skip


def _cross_products(design: Design, outcomes: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return XᵀX (C, q, q) and XᵀM (K, C, q, E) of each class, the outcomes' class means and squares about them."""
    kinds, classes, _ = outcomes.shape
    grams = np.zeros((classes, design.columns, design.columns))
    moments = np.zeros((kinds, classes, design.columns, classes))
    means, squares = np.zeros((kinds, classes, classes)), np.zeros((kinds, classes, classes))
    for c in range(classes):
        of_class = outcomes[:, :, design.labels == c]
        if of_class.shape[2]:
            means[:, c] = of_class.mean(axis=2)
            squares[:, c] = np.square(of_class - means[:, c, :, None]).sum(axis=2)
    for block in design.blocks():
        for c in np.unique(block.labels):
            rows = block.labels == c
            x = block.x[rows]
            grams[c] += x.T @ x
            moments[:, c] += x.T @ (outcomes[:, :, block.rows[rows]] - means[:, c, :, None]).swapaxes(1, 2)
    return grams, moments, means, squares


def _independent(gram: Floats, columns: Integers) -> Integers:
    """Return those of `columns` that are no combination of the ones before them in pivoted Cholesky's order."""
    lengths = np.sqrt(np.diag(gram)[columns])
    columns = columns[lengths > 0]
    if not len(columns):
        return columns
    scaled = gram[np.ix_(columns, columns)] / np.outer(lengths[lengths > 0], lengths[lengths > 0])
    _, pivots, rank, _ = scipy.linalg.lapack.dpstrf(scaled, tol=DEPENDENT, lower=True)
    return np.sort(columns[pivots[:rank] - 1])


def _variances(
    design: Design, outcomes: Floats, among: Flags, inverses: Floats, coefficients: Floats, means: Floats
) -> tuple[Floats, Integers]:
    """Return the CR3 variances (K, E, p) and how many image groups each emotion's regression has, (E,)."""
    variances = np.zeros((len(outcomes), design.classes, design.attributes))
    groups = np.zeros(design.classes, dtype=np.int64)
    for block in design.blocks():
        for e in range(design.classes):
            part = _select(block, among[e])
            residuals = outcomes[:, e, part.rows] - means[:, part.labels, e] - coefficients[:, e] @ part.x.T  # (K, n)
            shares, number = _jackknife(part, part.x @ inverses[e], residuals, design.counts)
            variances[:, e] += shares[:, : design.attributes]
            groups[e] += number
    return variances, groups


def _select(block: Block, classes: Flags) -> Block:
    keep = classes[block.labels]
    return Block(block.rows[keep], block.labels[keep], block.groups[keep], block.x[keep])


def _jackknife(part: Block, b: Floats, residuals: Floats, counts: Integers) -> tuple[Floats, int]:
    """Return the squared changes (K, q) of the coefficients when each image group is left out, and their number.

    A group's change is `A X_gᵀ (I - H_gg)⁻¹ r_g`, with `b` = X A.
    """
    starts = np.flatnonzero(np.r_[len(part.rows) > 0, np.diff(part.groups) != 0])
    sizes = np.diff(np.r_[starts, len(part.rows)])
    leverages = np.einsum("ij,ij->i", b, part.x) + 1 / counts[part.labels]
    adjusted = residuals / (1 - leverages)
    if len(starts) == len(part.rows):
        return np.square(adjusted) @ np.square(b), len(starts)
    for size in np.unique(sizes[sizes > 1]):
        rows = starts[sizes == size, None] + np.arange(size)  # (G, m)
        same = part.labels[rows][:, :, None] == part.labels[rows][:, None, :]
        hat = np.einsum("gip,gjp->gij", b[rows], part.x[rows]) + same / counts[part.labels[rows]][:, :, None]
        solved = np.linalg.solve(np.eye(size) - hat, residuals.T[rows])  # (G, m, K)
        adjusted[:, rows] = np.moveaxis(solved, 2, 0)
    changes = np.add.reduceat(adjusted[:, :, None] * b, starts, axis=1)
    return np.square(changes).sum(axis=1), len(starts)
