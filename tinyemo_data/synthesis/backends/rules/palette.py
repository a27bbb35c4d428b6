"""The colours of a picture by name: what is surely true of them, given that those of some pixels are not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyemo_data.synthesis.backends.rules.colour_names import name_colour, temperature
from tinyemo_data.synthesis.backends.rules.numbers import read_number

SMALLEST_SHARE = 0.08  # of a colour that is named, of all pixels
LEANING = 0.1  # share of pixels by which one side of the colours must be ahead, besides the unknown ones
FAR_APART = 0.25  # of Oklab's L, between a picture's lightest and its deepest colour
PREVAILING = 0.5  # share from which a picture is said to be mostly of one family


@dataclass(frozen=True, slots=True)
class Colour:
    """A named colour and the share of pixels (0–1) that it has at least."""

    name: str
    family: str
    lightness: float  # Oklab's L
    share: float


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture."""

    colours: tuple[Colour, ...]  # at least SMALLEST_SHARE each, the largest first
    families: Mapping[str, float]  # share of each basic colour term, as far as it is known
    unknown_share: float  # of pixels whose colour is not known

    @property
    def leading_family(self) -> str | None:
        """Return the family that surely has more pixels than any other."""
        ranked = sorted(self.families.items(), key=lambda item: -item[1])
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][0] if ranked and ranked[0][1] > second + self.unknown_share else None

    @property
    def prevailing_family(self) -> str | None:
        """Return the family of at least half of all pixels."""
        return next((family for family, share in self.families.items() if share >= PREVAILING), None)

    @property
    def warmth(self) -> str | None:
        """Return `warm` or `cool` where the colours of that side surely have more pixels than those of the other."""
        warm, cool = (
            sum(share for family, share in self.families.items() if temperature(family) == side)
            for side in ("warm", "cool")
        )
        if abs(warm - cool) <= self.unknown_share + LEANING:
            return None
        return "warm" if warm > cool else "cool"

    @property
    def tonal_range(self) -> tuple[str, str] | None:
        """Return the lightest and the deepest of the named colours, where they are far apart."""
        ranked = sorted(self.colours, key=lambda colour: colour.lightness)
        if len(ranked) < 2 or ranked[-1].lightness - ranked[0].lightness < FAR_APART:
            return None
        return ranked[-1].name, ranked[0].name

    def surely_not_mostly(self, family: str) -> bool:
        """Tell whether a family can't have half of the pixels, whatever the unknown ones are."""
        return bool(self.colours) and self.families.get(family, 0.0) + self.unknown_share < PREVAILING


def read_palette(pairs: Sequence[Any]) -> Palette:
    """Name the dominant colours, pairs of `#rrggbb` and a share; those of one name are put together."""
    named = _name_all(pairs)
    families: dict[str, float] = {}
    for colour in named:
        families[colour.family] = families.get(colour.family, 0.0) + colour.share
    large = tuple(colour for colour in named if colour.share >= SMALLEST_SHARE)
    return Palette(large, families, max(0.0, 1 - sum(families.values())))


def _name_all(pairs: Sequence[Any]) -> list[Colour]:
    """Return the colours of different names, the largest first."""
    found: dict[str, Colour] = {}
    for pair in pairs:
        hexadecimal, share = (pair[0], pair[1]) if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None)
        name, share = (name_colour(hexadecimal) if isinstance(hexadecimal, str) else None), read_number(share)
        if name is not None and share is not None and 0 < share <= 1:
            before = found[name.name].share if name.name in found else 0.0
            found[name.name] = Colour(name.name, name.family, name.lightness, before + share)
    return sorted(found.values(), key=lambda colour: -colour.share)
