"""The split of a dataset that has no official one: a pure function of the sample's id and a seed."""

import hashlib
import math
from collections.abc import Mapping
from types import MappingProxyType

from tinyemo_data.errors import SettingsError
from tinyemo_data.sample import SPLITS

FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.1, "test": 0.2})


def assign_split(sample_id: str, seed: int, fractions: Mapping[str, float] = FRACTIONS) -> str:
    """Return the split of `sample_id`: adding, removing or reordering other samples moves it nowhere.

    Raises SettingsError for fractions that do not share out 1 among train, validation and test.
    """
    if set(fractions) - set(SPLITS) or not math.isclose(sum(fractions.values()), 1) or min(fractions.values()) < 0:
        raise SettingsError(f"Split fractions: expected parts of 1 for {', '.join(SPLITS)}, found {dict(fractions)}.")
    position = draw(sample_id, seed)
    upper = 0.0
    for split in SPLITS:
        upper += fractions.get(split, 0.0)
        if position < upper:
            return split
    return max(fractions, key=lambda split: fractions[split])  # the sum fell short of 1 by rounding


def draw(sample_id: str, seed: int) -> float:
    """Return a number in [0, 1) that looks uniform over ids and independent over seeds (keyed BLAKE2b)."""
    key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
    digest = hashlib.blake2b(sample_id.encode(), digest_size=8, key=key).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
