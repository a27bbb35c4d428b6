"""Plants and stones."""

import math

from tinyemo_data.sample_corpus.canvas import Brush
from tinyemo_data.sample_corpus.objects.thing import Hand

LEAVES = ("#4f9a45", "#6bab3f", "#3f8a5a", "#8fae3c")
PETALS = ("#e8485a", "#f6c945", "#f28ac0", "#ffffff", "#9a6be0", "#ff8a3c")


def paint_tree(brush: Brush, hand: Hand) -> None:
    """A leafy tree; its crown is round, or pointed where lines are jagged."""
    leaf = hand.pick(LEAVES)
    brush.poly([(-0.06, 0), (0.06, 0), (0.04, 0.5), (-0.04, 0.5)], "#7a5230")
    if hand.line == "jagged":
        brush.poly([(-0.36, 0.32), (0.36, 0.32), (0.16, 0.62), (0, 1), (-0.16, 0.62)], leaf)
        return
    for x, y, radius in ((-0.18, 0.52, 0.22), (0.18, 0.54, 0.22), (0, 0.72, 0.28)):
        brush.oval(x, y, radius, radius, leaf)
    brush.oval(-0.08, 0.78, 0.13, 0.11, "#a8cf6a")


def paint_pine(brush: Brush, hand: Hand) -> None:
    """A fir of three tiers."""
    green = hand.pick(("#2f6b4a", "#3b7a4c", "#2a5a4e"))
    brush.box(-0.04, 0, 0.04, 0.2, "#6a4528")
    for foot, half, top in ((0.14, 0.30, 0.55), (0.36, 0.24, 0.76), (0.58, 0.17, 1.0)):
        brush.poly([(-half, foot), (half, foot), (0, top)], green)


def paint_bare_tree(brush: Brush, hand: Hand) -> None:
    """A leafless tree: a trunk that forks into twigs."""
    bark = "#3d3036"

    def grow(x: float, y: float, angle: float, length: float, width: float) -> None:
        tip = (x + math.sin(angle) * length, y + math.cos(angle) * length)
        brush.line([(x, y), tip], width, bark)
        if width > 0.014:
            for turn in (-0.55, 0.5):
                grow(*tip, angle + turn * hand.between(0.7, 1.3), length * 0.7, width * 0.62)

    grow(0, 0, hand.between(-0.08, 0.08), 0.38, 0.10)


def paint_bush(brush: Brush, hand: Hand) -> None:
    """A low round bush with berries."""
    leaf = hand.pick(LEAVES)
    for x, radius in ((-0.4, 0.34), (0.4, 0.36), (0, 0.46)):
        brush.oval(x, radius, radius, radius * 0.95, leaf)
    for x, y in ((-0.3, 0.4), (0.1, 0.6), (0.4, 0.3)):
        brush.oval(x, y, 0.06, 0.06, "#d8484a")


def paint_flower(brush: Brush, hand: Hand) -> None:
    """A flower with five petals on a stalk."""
    petal = hand.pick(PETALS)
    brush.line([(0, 0), (0.02, 0.66)], 0.06, "#3f8a3f")
    brush.poly([(0, 0.15), (0.26, 0.4), (0.03, 0.32)], "#4f9a45")
    for turn in range(5):
        angle = turn * 2 * math.pi / 5 + 0.3
        brush.oval(0.19 * math.cos(angle), 0.78 + 0.17 * math.sin(angle), 0.14, 0.13, petal)
    brush.oval(0, 0.78, 0.1, 0.1, "#f2b632" if petal != "#f6c945" else "#8a5a2a")


def paint_mushroom(brush: Brush, hand: Hand) -> None:
    """A spotted toadstool."""
    cap = hand.pick(("#8a5a9a", "#a33a32", "#7a7a2e", "#9a6a3a"))
    brush.poly([(-0.16, 0), (0.18, 0), (0.1, 0.55), (-0.1, 0.55)], "#e6dcc0")
    brush.poly([(-0.46, 0.45), (0.46, 0.45), (0.38, 0.72), (0.16, 0.93), (-0.16, 0.93), (-0.38, 0.72)], cap)
    for x, y, radius in ((-0.2, 0.62, 0.07), (0.04, 0.78, 0.08), (0.24, 0.58, 0.06)):
        brush.oval(x, y, radius, radius * 0.8, "#e9e2b8")


def paint_rock(brush: Brush, hand: Hand) -> None:
    """A boulder with a lit and a shaded side."""
    top = hand.between(0.7, 1.0)
    brush.poly([(-0.7, 0), (-0.55, 0.5), (-0.15, top), (0.35, 0.8), (0.7, 0.3), (0.72, 0)], "#85807c")
    brush.poly([(0.1, 0), (-0.15, top), (0.35, 0.8), (0.7, 0.3), (0.72, 0)], "#605b5c")
