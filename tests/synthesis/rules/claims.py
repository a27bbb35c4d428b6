"""Reads claims back out of descriptions, with tables of its own: what a sentence says of light, colour and shape."""

import functools
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tinyemo_data.synthesis.backends.rules.colour_names import COLOURS

# What names a level, whichever way it is said. Looked for in this order, each found phrase being cut out.
BRIGHTNESS = {
    "medium": r"mid-toned|moderately light|(?:medium|middling) brightness|middle range of brightness|middle tones",
    "dark": r"\b(?:dark|dim)\b|(?:low|reduced) brightness|close to black",
    "bright": r"\bbright\b|high brightness|close to white",
}
# Hasler & Süsstrunk 2003, table 2.
WORDS = {"not": 0, "slightly": 15, "moderately": 33, "averagely": 45, "quite": 59, "highly": 82, "extremely": 109}
COLOURFULNESS = {
    "not": r"colourless|without colour|hardly coloured|(?:hardly any|next to no|barely a trace of) colour",
    "slightly": r"slightly colourful|\bmuted\b|faint|subdued colours|little colour",
    "moderately": r"moderate(?!ly light)",
    "averagely": r"averagely|average (?:colour|degree|strength|in its)|of average",
    "extremely": r"extremely (?:colourful|strong)|intense|as strongly as can be|extreme colourfulness",
    "highly": r"highly colourful|strong(?:ly)? (?:coloured|in colour|colours?)|coloured strongly|"
    r"very rich (?:in )?colour",
    "quite": r"quite colourful|rich(?:ly)? (?:coloured|in colour|colours)|full colours|full of colour|"
    r"good deal of colour|generous with colour",
}
SHAPE = {
    "wide": r"wider than(?: it is)? (?:tall|high)|horizontal|landscape format|width greater than its height|\bwide\b",
    "even": r"about as wide as it is tall|square|sides of about equal length",
    "tall": r"(?:taller|higher) than(?: it is)? wide|upright|vertical|sides longer than top and bottom|\btall\b",
}
FRACTIONS = {
    "a tenth": 1 / 10, "an eighth": 1 / 8, "a sixth": 1 / 6, "a fifth": 1 / 5, "a quarter": 1 / 4, "a third": 1 / 3,
    "two fifths": 2 / 5, "half": 1 / 2, "three fifths": 3 / 5, "two thirds": 2 / 3, "three quarters": 3 / 4,
    "four fifths": 4 / 5, "nine tenths": 9 / 10, "nearly all": 0.95,
}  # fmt: skip
FAMILIES = ("black", "grey", "white", "red", "orange", "brown", "yellow", "green", "teal", "blue", "purple", "pink")
WARM, COOL = ("red", "orange", "brown", "yellow", "pink"), ("blue", "teal")
SIDE = 8  # of a cell of the colour cube, in levels
# Where the words are no claim.
NO_CLAIM = r"from black to white|against black and white|full brightness"
LEANING = (
    r"(warm|cool) colours (?:outweigh|prevail|take more room|and)|more of (warm|cool)|the (warm|cool) side|"
    r"leans towards (?:the )?(warm|cool)|(warm|cool),? (?:rather )?than|rather (warm|cool)|(warm|cool) rather|"
    r"more (warm|cool) than|towards (warm|cool) colours"
)


def levels(text: str, table: Mapping[str, str]) -> set[str]:
    """Return the levels of a table that a text names."""
    rest, found = re.sub(NO_CLAIM, " ", text.lower()), set()
    for level, pattern in table.items():
        if re.search(pattern, rest):
            found.add(level)
            rest = re.sub(pattern, " ", rest)
    return found


def shapes(text: str) -> set[str]:
    """Return the shapes that a text names; the longest phrases go first, since they hold words of the others."""
    rest, found = text.lower(), set()
    for pattern in (
        r"wider than(?: it is)? (?:tall|high)",
        r"(?:taller|higher) than(?: it is)? wide",
        "about as wide as",
    ):
        for phrase in re.findall(pattern, rest):
            found.add("wide" if phrase.startswith("wider") else "even" if phrase.startswith("about") else "tall")
        rest = re.sub(pattern + r"(?: it is tall)?", " ", rest)
    return found | {shape for shape, pattern in SHAPE.items() if re.search(pattern, rest)}


def percentages(text: str) -> list[float]:
    """Return the numbers in percent, as shares."""
    return [int(number) / 100 for number in re.findall(r"(\d+) percent", text)]


def colour_words(text: str) -> set[str]:
    """Return the basic colour terms that a text uses."""
    rest = re.sub(rf'"[^"]*"|close to (?:black|white)|{NO_CLAIM}', " ", text.lower())
    return set(re.findall(rf"\b({'|'.join(FAMILIES)})\b", rest))


def shares(text: str) -> Iterator[tuple[float, str]]:
    """Yield each share that a text claims, and the family of the colour that has it."""
    amount = "|".join(sorted(FRACTIONS, key=len, reverse=True))
    bound = rf"(?:(?:at least|no less than) )?\b({amount})\b"
    colour = rf"\b({'|'.join(FAMILIES)})\b"
    for sentence in re.split(r"(?<=[.?!]) ", text.lower()):
        found, named = re.search(bound, sentence), re.findall(colour, sentence)
        if found and named and re.search(r"at least|no less than|nearly all", sentence):
            yield FRACTIONS[found[1]], named[0]


def leaning(text: str) -> set[str]:
    """Return the side that a text's colours are said to lean towards."""
    return {next(filter(None, groups)) for groups in re.findall(LEANING, text.lower())}


def nearest_words(value: float, slack: float) -> set[str]:
    """Return the published words that lie nearest to a colourfulness, or by `slack` not farther than the nearest."""
    least = min(abs(value - at) for at in WORDS.values())
    return {word for word, at in WORDS.items() if abs(value - at) <= least + slack}


def oklab(colour: str) -> tuple[float, float, float]:
    """Return `#rrggbb` in Oklab, written out by hand after Ottosson's C++ (2020)."""
    r, g, b = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    cone_l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    cone_m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    cone_s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * cone_l + 0.7936177850 * cone_m - 0.0040720468 * cone_s,
        1.9779984951 * cone_l - 2.4285922050 * cone_m + 0.4505937099 * cone_s,
        0.0259040371 * cone_l + 0.7827717662 * cone_m - 0.8086757660 * cone_s,
    )


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


@functools.cache
def oklab_names() -> list[tuple[tuple[float, float, float], str, str]]:
    """Return every colour of the rules' table in Oklab, with its name and family."""
    table = yaml.safe_load(COLOURS.read_text(encoding="utf-8"))["families"]
    return [(oklab(value), name, family) for family, names in table.items() for name, value in names.items()]


@functools.cache
def name_by_hand(colour: str) -> tuple[str, str]:
    """Return name and family nearest to a colour, by comparing it with every one."""
    at = oklab(colour)
    _, name, family = min((math.dist(at, other), name, family) for other, name, family in oklab_names())
    return name, family


def in_its_cell(colour: str) -> list[str]:
    """Return the colours around the middle of a colour's cell, of which its name is taken: it lies between numbers."""
    lows = [int(colour[place : place + 2], 16) // SIDE * SIDE + SIDE // 2 - 1 for place in (1, 3, 5)]
    steps = itertools.product((0, 1), repeat=3)
    return ["#" + "".join(f"{low + step:02x}" for low, step in zip(lows, one, strict=True)) for one in steps]


def request(task: str, facts: Mapping[str, Any], **known: Any) -> dict[str, Any]:
    """Return the body of a request, as far as the rules look at it."""
    seed = known.pop("seed", 0)
    asked = {"variant": "", "emotion": None, "taxonomy": None, "options": [], "question": None, **known}
    return {
        "seed": seed,
        "picture": {"sha256": "0" * 64, "side": 512},
        "known": {"task": task, "facts": facts, **asked},
    }
