"""Discovery and confirmation: what is guessed from one half of the pictures is tested on the other.

A candidate that was found by looking at the predictions would confirm itself on the same pictures. Pictures of
one image group lie in one half, or the second half would see them again.
"""

import numpy as np

from tinyemo_data.audit.bias.attributes import Flags, Integers


def discovery_half(labels: Integers, groups: Integers, seed: int) -> Flags:
    """Tell which pictures are of the discovery half, (N,): half the image groups of each label, by `seed`.

    A group counts for the label of its first picture.
    """
    rng = np.random.default_rng(seed)
    numbers, first, member = np.unique(groups, return_index=True, return_inverse=True)
    in_discovery = np.zeros(len(numbers), dtype=bool)
    dealt = 0
    for label in np.unique(labels):
        of_label = np.flatnonzero(labels[first] == label)
        # Dealt on over the labels, so that labels of one group each do not all fall into one half.
        positions = np.arange(dealt, dealt + len(of_label))
        in_discovery[rng.permutation(of_label)] = positions % 2 == 0
        dealt += len(of_label)
    halves: Flags = in_discovery[member]
    return halves
