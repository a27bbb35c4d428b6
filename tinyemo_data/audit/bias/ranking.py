"""Which flagged pair a person should look at first, and where it may come from."""

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats

WORD_LEVEL = 0.05


def rank(low: Floats, support: Floats) -> Floats:
    """Return ranks from 1 (F,) by the lower end of the effect's interval times the root of its support.

    No slice has to be taken out because a higher one explains it: all attributes are in one regression, so that
    each effect is what is left beside the others. Ties keep their order.
    """
    weight = low * np.sqrt(support)
    ranks = np.empty(len(weight))
    ranks[np.argsort(-weight, kind="stable")] = np.arange(1, len(weight) + 1)
    return ranks


def guess_origin(flagged: bool, taught: bool, relied_on: bool, word_p: float) -> str:
    """Return where a pair's effect seems to come from, as far as the figures tell.

    `flagged`: the labels go with the attribute itself, and taught the model to. `taught`: the model learnt it from
    them, whether or not they go with this attribute once the others are held fixed: if not, it stands in for one
    that the model sees less well. `relied_on`: the margin moves with the attribute, whatever taught it. `word_p`:
    of the attribute's word beside the emotion's in the language model (NaN: not looked at).
    """
    words_agree = bool(word_p < WORD_LEVEL)
    if flagged:
        return "training data and language model" if words_agree else "training data"
    if taught:
        return "training data, in place of another attribute"
    if relied_on:
        return "language model" if words_agree else "picture features"
    return "none"
