"""How many pictures stand behind a figure, and which pairs have too few for one.

Support is counted in image groups: ten near-duplicates tell as much as one picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, Flags, Floats, Integers, Ternary
from tinyemo_data.audit.bias.pictures import Pictures


@dataclass(frozen=True)
class NotTestable:
    """A pair, or a whole attribute, of which one statistic could not be taken."""

    attribute: str
    emotion: str | None  # None: with every emotion
    statistic: str  # association, reliance, suppression or all; contrast and decision need the first two
    reason: str


@dataclass(frozen=True)
class Support:
    """Image groups of each class (E) that have an attribute (p), or have it not."""

    present: Integers  # (E, p)
    absent: Integers  # (E, p)

    def elsewhere(self) -> "Support":
        """Return the support among pictures of all other classes than e."""
        return Support(self.present.sum(axis=0) - self.present, self.absent.sum(axis=0) - self.absent)

    def thin(self, least: int) -> Flags:
        """Tell where either side has fewer than `least` groups, (E, p)."""
        flags: Flags = (self.present < least) | (self.absent < least)
        return flags


def count_support(pictures: Pictures, classes: int) -> Support:
    """Count the image groups of each class and attribute value. A group of two classes counts in both."""
    order = np.lexsort((pictures.groups, pictures.labels))
    labels, groups, values = pictures.labels[order], pictures.groups[order], pictures.attributes.values[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(labels) != 0) | (np.diff(groups) != 0)])
    of_label = labels[starts]
    return Support(*(_groups_with(values == value, starts, of_label, classes) for value in (PRESENT, ABSENT)))


def _groups_with(flags: Flags, starts: Integers, of_label: Integers, classes: int) -> Integers:
    in_group = np.logical_or.reduceat(flags, starts, axis=0)
    counts = np.zeros((classes, flags.shape[1]), dtype=np.int64)
    for label in range(classes):
        counts[label] = in_group[of_label == label].sum(axis=0)
    return counts


def counts_of(labels: Integers, values: Ternary, classes: int) -> tuple[Floats, Floats]:
    """Return how many pictures of each class have the attribute, and have it not: two of (E, p)."""
    present, absent = np.zeros((classes, values.shape[1])), np.zeros((classes, values.shape[1]))
    for label in range(classes):
        rows = values[labels == label]
        present[label], absent[label] = (rows == PRESENT).sum(axis=0), (rows == ABSENT).sum(axis=0)
    return present, absent


def explain_thin(
    support: Support, thin: Flags, names: Sequence[str], emotions: Sequence[str], statistic: str, where: str, least: int
) -> list[NotTestable]:
    """Return one sentence a thin cell (E, p); `where` says of which pictures, with `{emotion}` in its place."""
    found = []
    for emotion, attribute in np.argwhere(thin):
        with_it, without = support.present[emotion, attribute], support.absent[emotion, attribute]
        place = where.format(emotion=emotion_name(emotions, emotion))
        reason = f"{with_it} image groups with it and {without} without {place}; {least} of each are needed"
        found.append(NotTestable(names[attribute], emotions[emotion], statistic, reason))
    return found


def emotion_name(emotions: Sequence[str], number: int) -> str:
    """Return the name of an emotion in quotes, for messages."""
    return f"'{emotions[number]}'"
