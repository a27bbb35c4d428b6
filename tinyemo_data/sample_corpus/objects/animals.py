"""Animals, and one ghost."""

import math

from tinyemo_data.sample_corpus.canvas import Brush, Point
from tinyemo_data.sample_corpus.objects.thing import Hand

FURS = ("#c98f4e", "#8a6040", "#e8e0d4", "#6a6468", "#d8a868")


def paint_bird(brush: Brush, hand: Hand) -> None:
    """A flying bird with spread wings."""
    plumage = hand.pick(("#f8f6f0", "#4a5a7a", "#d8604a", "#3a3a44"))
    lift = hand.between(0.75, 1.0)
    brush.poly([(-0.1, 0.4), (-0.75, lift), (-0.5, 0.6), (0.1, 0.3)], plumage)
    brush.poly([(0.0, 0.4), (0.55, lift), (0.42, 0.55), (0.2, 0.3)], plumage)
    brush.oval(0.05, 0.34, 0.3, 0.14, plumage)
    brush.oval(0.36, 0.44, 0.13, 0.13, plumage)
    brush.poly([(0.46, 0.48), (0.66, 0.42), (0.46, 0.38)], "#f2a52e")


def paint_crow(brush: Brush, hand: Hand) -> None:
    """A crow that stands."""
    black = "#221f28"
    for x in (-0.05, 0.1):
        brush.line([(x, 0), (x, 0.3)], 0.05, "#54483a")
    brush.oval(0, 0.48, 0.36, 0.24, black)
    brush.poly([(-0.25, 0.5), (-0.75, 0.26), (-0.2, 0.3)], black)
    brush.oval(0.3, 0.78, 0.19, 0.19, black)
    brush.poly([(0.42, 0.86), (0.78, 0.74), (0.42, 0.68)], "#5f5648")
    brush.oval(0.34, 0.82, 0.04, 0.04, hand.pick(("#f2d24a", "#e84a3a")))


def paint_bat(brush: Brush, hand: Hand) -> None:
    """A bat with scalloped wings."""
    dark = hand.pick(("#241c2c", "#2e2230"))
    half = [(0.0, 0.55), (0.3, 0.9), (0.85, 0.95), (0.72, 0.5), (0.52, 0.58), (0.4, 0.34), (0.2, 0.46), (0.0, 0.15)]
    brush.poly(half, dark)
    brush.poly([(-x, y) for x, y in half], dark)
    brush.oval(0, 0.5, 0.13, 0.24, dark)
    for x in (-0.09, 0.09):
        brush.poly([(x - 0.05, 0.68), (x + 0.05, 0.68), (x * 1.3, 0.9)], dark)
        brush.oval(x * 0.55, 0.6, 0.03, 0.03, "#f2d24a")


def paint_butterfly(brush: Brush, hand: Hand) -> None:
    """A butterfly."""
    wing, spot = hand.pick(("#f28a2e", "#5a8fe8", "#e85a9a", "#f2c93a")), hand.pick(("#fff2d8", "#3a2a3a"))
    for side in (-1, 1):
        brush.oval(side * 0.32, 0.68, 0.3, 0.28, wing)
        brush.oval(side * 0.25, 0.28, 0.22, 0.22, wing)
        brush.oval(side * 0.36, 0.7, 0.11, 0.11, spot)
        brush.line([(0, 0.8), (side * 0.14, 1.0)], 0.03, "#3a2a2a")
    brush.oval(0, 0.5, 0.06, 0.36, "#3a2a2a")


def paint_fly(brush: Brush, hand: Hand) -> None:
    """A fat fly with glassy wings."""
    for side in (-1, 1):
        brush.oval(side * 0.36, 0.66, 0.3, 0.17, "#d8e4e0")
        for y in (0.28, 0.42, 0.56):
            brush.line([(side * 0.1, y), (side * 0.42, y - 0.14)], 0.05, "#23262a")
    brush.oval(0, 0.42, 0.2, 0.34, hand.pick(("#2e3a34", "#34303a")))
    brush.oval(0, 0.84, 0.16, 0.14, "#23262a")
    for x in (-0.1, 0.1):
        brush.oval(x, 0.88, 0.08, 0.09, "#b83a32")


def paint_spider(brush: Brush, hand: Hand) -> None:
    """A spider that hangs on its thread."""
    dark = hand.pick(("#1f1a24", "#2a1f22"))
    brush.line([(0, 0.5), (0, 2.6)], 0.03, "#d8d8de")
    for side in (-1, 1):
        for reach, high, low in ((0.42, 0.8, 0.62), (0.52, 0.62, 0.36), (0.52, 0.46, 0.14), (0.4, 0.34, 0.0)):
            brush.line([(0, 0.45), (side * reach * 0.7, high), (side * reach, low)], 0.05, dark)
    brush.oval(0, 0.52, 0.22, 0.24, dark)
    brush.oval(0, 0.26, 0.14, 0.13, dark)
    for x in (-0.06, 0.06):
        brush.oval(x, 0.24, 0.035, 0.035, "#e8443a")


def paint_cat(brush: Brush, hand: Hand) -> None:
    """A cat that sits."""
    fur = hand.pick((*FURS, "#2a2630"))
    brush.line([(0.2, 0.08), (0.5, 0.14), (0.52, 0.44)], 0.09, fur)
    brush.oval(0, 0.26, 0.28, 0.27, fur)
    brush.oval(0, 0.66, 0.22, 0.2, fur)
    for side in (-1, 1):
        brush.poly([(side * 0.2, 0.68), (side * 0.19, 0.98), (side * 0.04, 0.82)], fur)
        brush.oval(side * 0.08, 0.69, 0.045, 0.05, "#b8d84a")
        brush.oval(side * 0.08, 0.69, 0.018, 0.045, "#1a1a1e")
        brush.line([(side * 0.06, 0.58), (side * 0.32, 0.6)], 0.02, "#f0ece4")
    brush.oval(0, 0.6, 0.03, 0.02, "#e88a8a")


def paint_dog(brush: Brush, hand: Hand) -> None:
    """A dog from the side, tail up."""
    fur = hand.pick(FURS)
    for x in (-0.36, -0.22, 0.2, 0.34):
        brush.line([(x, 0), (x, 0.4)], 0.1, fur)
    brush.line([(-0.42, 0.55), (-0.66, 0.86)], 0.09, fur)
    brush.oval(0, 0.5, 0.48, 0.2, fur)
    brush.oval(0.48, 0.76, 0.21, 0.19, fur)
    brush.oval(0.68, 0.7, 0.13, 0.09, fur)
    brush.oval(0.79, 0.72, 0.045, 0.045, "#26222a")
    brush.oval(0.38, 0.72, 0.08, 0.17, "#5a4030")
    brush.oval(0.54, 0.82, 0.03, 0.03, "#26222a")


def paint_rabbit(brush: Brush, hand: Hand) -> None:
    """A rabbit with long ears."""
    fur = hand.pick(("#f2ece4", "#c8b09a", "#9a8a80"))
    brush.oval(-0.08, 0.24, 0.3, 0.24, fur)
    brush.oval(-0.38, 0.2, 0.1, 0.1, "#ffffff")
    brush.oval(0.2, 0.5, 0.18, 0.16, fur)
    for x in (0.12, 0.26):
        brush.oval(x, 0.8, 0.06, 0.2, fur)
        brush.oval(x, 0.8, 0.03, 0.14, "#f0b0b0")
    brush.oval(0.26, 0.53, 0.03, 0.03, "#2a2226")


def paint_rat(brush: Brush, hand: Hand) -> None:
    """A rat with a long tail."""
    fur = hand.pick(("#6a605c", "#544c4a"))
    brush.line([(-0.5, 0.2), (-0.85, 0.1), (-1.1, 0.3)], 0.07, "#d8a0a0")
    brush.oval(-0.1, 0.4, 0.52, 0.36, fur)
    brush.poly([(0.2, 0.66), (0.85, 0.28), (0.2, 0.1)], fur)
    brush.oval(0.26, 0.76, 0.15, 0.17, "#c89a94")
    brush.oval(0.48, 0.46, 0.06, 0.06, "#e83a32")
    brush.oval(0.85, 0.28, 0.06, 0.06, "#e8a0a0")
    for x in (-0.35, 0.2):
        brush.line([(x, 0.1), (x, 0)], 0.08, "#d8a0a0")


def paint_sheep(brush: Brush, hand: Hand) -> None:
    """A sheep."""
    for x in (-0.28, -0.12, 0.16, 0.32):
        brush.line([(x, 0), (x, 0.35)], 0.09, "#3a3438")
    for x, y in ((-0.28, 0.5), (0, 0.44), (0.28, 0.5), (-0.14, 0.68), (0.16, 0.68)):
        brush.oval(x, y, 0.24, 0.21, hand.pick(("#f8f4ec", "#efe9de")))
    brush.oval(0.54, 0.7, 0.17, 0.16, "#3a3438")
    brush.oval(0.57, 0.74, 0.035, 0.035, "#ffffff")


def paint_duck(brush: Brush, hand: Hand) -> None:
    """A duck that swims."""
    plumage = hand.pick(("#f6d84a", "#fbf6ea", "#9a7a50"))
    brush.poly([(-0.6, 0.5), (-0.3, 0.14), (0.1, 0.3)], plumage)
    brush.oval(0, 0.24, 0.5, 0.25, plumage)
    brush.oval(0.36, 0.68, 0.24, 0.24, plumage)
    brush.poly([(0.55, 0.72), (0.86, 0.64), (0.55, 0.56)], "#f08a2e")
    brush.oval(0.42, 0.74, 0.045, 0.045, "#26222a")


def paint_snake(brush: Brush, hand: Hand) -> None:
    """A snake that rears up from its coils."""
    skin = hand.pick(("#6a8a2e", "#8a7a2e", "#4f6a3a"))
    coil: list[Point] = [(-0.8 + step * 0.1, 0.1 + 0.09 * math.sin(step * 0.95)) for step in range(13)]
    brush.line([*coil, (0.5, 0.3), (0.3, 0.55), (0.42, 0.8)], 0.17, skin)
    brush.oval(0.5, 0.88, 0.18, 0.12, skin)
    brush.line([(0.66, 0.88), (0.84, 0.9)], 0.04, "#d83a4a")
    brush.oval(0.54, 0.91, 0.035, 0.035, "#f2e24a")


def paint_ghost(brush: Brush, hand: Hand) -> None:
    """A ghost with hollow eyes."""
    sheet = hand.pick(("#e6eaf2", "#d0d8e4"))
    brush.oval(0, 0.68, 0.32, 0.32, sheet)
    hem: list[Point] = [
        (-0.32, 0.68),
        (-0.36, 0.05),
        (-0.2, 0.16),
        (-0.07, 0),
        (0.07, 0.16),
        (0.22, 0.02),
        (0.36, 0.14),
        (0.32, 0.68),
    ]
    brush.poly(hem, sheet)
    for x in (-0.12, 0.12):
        brush.oval(x, 0.72, 0.06, 0.09, "#1f1f2a")
    brush.oval(0, 0.5, 0.07, 0.1, "#1f1f2a")
