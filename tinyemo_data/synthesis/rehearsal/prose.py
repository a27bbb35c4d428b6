"""Plain English that says nothing wrong: sentences about how a picture is composed, varied by chance.

They name no thing, no feeling and no colour, so that no label is given away and no known fact contradicted.
"""

import random

PARTS = (
    "the foreground",
    "the background",
    "the middle ground",
    "the upper left corner",
    "the upper right corner",
    "the lower left corner",
    "the lower right corner",
    "the left third",
    "the right third",
    "the centre of the frame",
    "the upper edge",
    "the lower edge",
    "the space around the main subject",
    "the area behind the main subject",
)
QUALITIES = (
    "evenly lit",
    "slightly darker than the rest",
    "a little brighter than the rest",
    "sharply in focus",
    "softly out of focus",
    "rich in fine texture",
    "almost free of texture",
    "divided by a clear line",
    "kept deliberately simple",
    "filled with small details",
    "framed by a quiet margin",
    "set apart by strong contrast",
    "held together by repeated shapes",
    "open and uncluttered",
)
ACTIONS = (
    "leads the eye inward",
    "balances the opposite side",
    "gives the picture its depth",
    "leaves room for the main subject",
    "catches most of the light",
    "falls gently into shadow",
    "repeats the outline of the main subject",
    "separates near from far",
    "carries most of the contrast",
    "draws the first glance",
    "steadies the whole arrangement",
    "frames what matters most",
)
VIEWS = (
    "seen from slightly below",
    "seen from slightly above",
    "seen at eye level",
    "seen from close by",
    "seen from some distance",
    "seen at a slight angle",
    "taken in as a whole",
    "followed from left to right",
    "followed from top to bottom",
    "compared with the rest",
)
ENDINGS = (
    "and the effect is easy to notice",
    "which sets the order in which things are seen",
    "while the remaining areas stay in support",
    "so the arrangement reads at once",
    "although nothing in it looks forced",
    "and little distracts from it",
    "which a second look confirms",
    "so that the eye returns to it",
    "as the edges of the frame make plain",
    "and the transition between areas is gradual",
)


def write_sentence(chance: random.Random) -> str:
    """Return one sentence of about ten to twenty-five words."""
    pick = chance.choice
    part, other = chance.sample(PARTS, 2)
    form = chance.randrange(4)
    if form == 0:
        words = f"{part} is {pick(QUALITIES)}, {pick(ENDINGS)}"
    elif form == 1:
        words = f"{pick(VIEWS)}, {part} {pick(ACTIONS)}, {pick(ENDINGS)}"
    elif form == 2:
        words = f"{part} is {pick(QUALITIES)}, whereas {other} {pick(ACTIONS)}"
    else:
        words = f"{part} {pick(ACTIONS)}, {other} is {pick(QUALITIES)}, {pick(ENDINGS)}"
    return f"{words[0].upper()}{words[1:]}."


def write_prose(
    chance: random.Random, shortest: int = 0, longest: int | None = None, sentences: tuple[int, int] = (2, 3)
) -> str:
    """Return from so many to so many sentences; of `shortest` to `longest` characters, where these are given."""
    written = [write_sentence(chance) for _ in range(chance.randint(*sentences))]
    while sum(map(len, written)) < shortest:
        written.append(write_sentence(chance))
    text = " ".join(written)
    if longest is None or len(text) <= longest:
        return text
    words = text[: longest + 1].rsplit(" ", 1)[0].rstrip(",.")
    return words if shortest <= len(words) <= longest else text[:longest]
