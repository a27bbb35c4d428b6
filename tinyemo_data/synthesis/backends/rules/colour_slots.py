"""The colours of a picture in words: which ones, how much of it they cover, and what they are like together."""

from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.nouns import join
from tinyemo_data.synthesis.backends.rules.palette import Colour, Palette

# Shares in words, from the largest; the share is at least that.
ALL, BOUNDS = "nearly all", ("at least", "no less than")
SHARES = (
    (0.95, ALL), (0.9, "nine tenths"), (0.8, "four fifths"), (0.75, "three quarters"), (2 / 3, "two thirds"),
    (0.6, "three fifths"), (0.5, "half"), (0.4, "two fifths"), (1 / 3, "a third"), (0.25, "a quarter"),
    (0.2, "a fifth"), (1 / 6, "a sixth"), (0.125, "an eighth"), (0.1, "a tenth"),
)  # fmt: skip
MOST_COLOURS = 3
MUCH = 0.4  # share of all pixels from which colours are said to take up much of a picture
OTHER_SIDE = {"warm": "cool", "cool": "warm"}


def describe_palette(palette: Palette) -> dict[str, Phrases]:
    """Return the phrases of the slots that tell colours; none where no colour is large enough to be named."""
    if not palette.colours:
        return {}
    slots: dict[str, Phrases] = {"colour": (Phrase(palette.colours[0].name),), "colours": _lists(palette.colours)}
    several = tuple(phrase for phrase in slots["colours"] if phrase.plural)
    share, much = _share_in_words(palette.colours[0].share), _much(palette.colours)
    found: dict[str, Phrases] = {"palette": several, "colour_share": share, "much": much}
    if palette.prevailing_family is not None:
        found["mostly"] = (Phrase(palette.prevailing_family),)
    if palette.tonal_range is not None:
        found["lightest"], found["deepest"] = ((Phrase(name),) for name in palette.tonal_range)
    if palette.warmth is not None:
        found["warmth"], found["other_warmth"] = (Phrase(palette.warmth),), (Phrase(OTHER_SIDE[palette.warmth]),)
    return slots | {name: phrases for name, phrases in found.items() if phrases}


def _share_in_words(share: float) -> Phrases:
    """Return the largest simple fraction that a share reaches; nothing for less than a tenth."""
    words = next((words for least, words in SHARES if share >= least), None)
    if words is None or words == ALL:
        return () if words is None else (Phrase(ALL),)
    return tuple(Phrase(f"{bound} {words}") for bound in BOUNDS)


def _lists(colours: tuple[Colour, ...]) -> Phrases:
    names = [colour.name for colour in colours[:MOST_COLOURS]]
    lists = {tuple(names[:count]) for count in range(min(2, len(names)), len(names) + 1)}
    lists |= {tuple(reversed(some)) for some in lists}
    return tuple(Phrase(join(some), len(some) > 1) for some in sorted(lists))


def _much(colours: tuple[Colour, ...]) -> Phrases:
    """Return the fewest colours that together take up much of the picture; nothing where they do not."""
    for count in range(1, min(MOST_COLOURS, len(colours)) + 1):
        some = colours[:count]
        if sum(colour.share for colour in some) >= MUCH:
            return (Phrase(join([colour.name for colour in some]), count > 1),)
    return ()
