"""Buildings and what people put up."""

from tinyemo_data.sample_corpus.canvas import Brush
from tinyemo_data.sample_corpus.objects.thing import Hand

WALLS = ("#f2e3c6", "#e9c9a0", "#d8dde4", "#c9785a")
ROOFS = ("#b4483c", "#7a4a3a", "#4f5f7a")


def paint_house(brush: Brush, hand: Hand) -> None:
    """A house with a gable, a door, a window and a chimney."""
    brush.box(0.18, 0.6, 0.3, 1.0, "#8a5a4a")
    brush.box(-0.45, 0, 0.45, 0.56, hand.pick(WALLS))
    brush.poly([(-0.55, 0.54), (0.55, 0.54), (0, 0.98)], hand.pick(ROOFS))
    brush.box(-0.09, 0, 0.09, 0.32, "#6a4630")
    for x in (-0.3, 0.3):
        brush.box(x - 0.09, 0.22, x + 0.09, 0.4, hand.pick(("#ffe9a0", "#8fc3e0")))


def paint_church(brush: Brush, hand: Hand) -> None:
    """A chapel with a steeple and a cross."""
    wall = hand.pick(("#e6e0d4", "#cfc6ba"))
    brush.box(-0.15, 0, 0.45, 0.4, wall)
    brush.poly([(-0.18, 0.4), (0.5, 0.4), (0.4, 0.58), (-0.1, 0.58)], "#6a4a4a")
    brush.box(-0.4, 0, -0.1, 0.56, wall)
    brush.poly([(-0.44, 0.56), (-0.06, 0.56), (-0.25, 0.86)], "#5a4450")
    brush.line([(-0.25, 0.84), (-0.25, 1.0)], 0.03, "#3a3034")
    brush.line([(-0.31, 0.94), (-0.19, 0.94)], 0.03, "#3a3034")
    brush.box(-0.3, 0, -0.2, 0.2, "#54402f")


def paint_tombstone(brush: Brush, hand: Hand) -> None:
    """A rounded gravestone with a cross on it."""
    stone = hand.pick(("#9a9c9e", "#85888e"))
    brush.box(-0.46, 0, 0.46, 0.1, "#6a6c70")
    brush.box(-0.36, 0.08, 0.36, 0.66, stone)
    brush.oval(0, 0.66, 0.36, 0.33, stone)
    brush.line([(0, 0.35), (0, 0.82)], 0.07, "#54565c")
    brush.line([(-0.15, 0.66), (0.15, 0.66)], 0.07, "#54565c")


def paint_castle(brush: Brush, hand: Hand) -> None:
    """A castle: two towers, a wall with merlons, a gate."""
    stone = hand.pick(("#6f6a78", "#857c80"))
    brush.box(-0.4, 0, 0.4, 0.5, stone)
    for x in (-0.25, -0.08, 0.09, 0.26):
        brush.box(x - 0.05, 0.5, x + 0.05, 0.58, stone)
    for x in (-0.42, 0.42):
        brush.box(x - 0.12, 0, x + 0.12, 0.7, stone)
        brush.poly([(x - 0.17, 0.7), (x + 0.17, 0.7), (x, 1.0)], "#4a3a56")
        brush.box(x - 0.03, 0.5, x + 0.03, 0.6, "#ffe08a")
    brush.box(-0.11, 0, 0.11, 0.22, "#3a3036")
    brush.oval(0, 0.22, 0.11, 0.1, "#3a3036")


def paint_tower(brush: Brush, hand: Hand) -> None:
    """A factory chimney with smoke."""
    brush.poly([(-0.16, 0), (0.16, 0), (0.09, 0.75), (-0.09, 0.75)], "#8a5346")
    brush.box(-0.12, 0.68, 0.12, 0.76, "#e0d6cc")
    for x, y, radius in ((0.06, 0.82, 0.08), (0.17, 0.9, 0.1), (0.31, 0.97, 0.12)):
        brush.oval(x, y, radius, radius * 0.8, hand.pick(("#8c888a", "#a39d9c")))


def paint_lighthouse(brush: Brush, hand: Hand) -> None:
    """A striped lighthouse with a lit lamp."""
    band = hand.pick(("#c8443c", "#3c5f9a"))
    brush.poly([(-0.18, 0), (0.18, 0), (0.11, 0.78), (-0.11, 0.78)], "#f2efe8")
    brush.poly([(-0.165, 0.15), (0.165, 0.15), (0.148, 0.32), (-0.148, 0.32)], band)
    brush.poly([(-0.137, 0.48), (0.137, 0.48), (0.122, 0.64), (-0.122, 0.64)], band)
    brush.box(-0.09, 0.78, 0.09, 0.9, "#ffe98a")
    brush.poly([(-0.14, 0.9), (0.14, 0.9), (0, 1.0)], "#4a4450")


def paint_tent(brush: Brush, hand: Hand) -> None:
    """A striped circus tent with a pennant."""
    bright = hand.pick(("#e0483e", "#3f8fd0", "#8a4fb8", "#f0a030"))
    brush.poly([(-0.6, 0), (0.6, 0), (0.5, 0.48), (0, 0.86), (-0.5, 0.48)], "#f6efe0")
    for left, right, top in ((-0.6, -0.36, -0.3), (-0.12, 0.12, 0), (0.36, 0.6, 0.3)):
        brush.poly([(left, 0), (right, 0), (top + 0.08, 0.48), (0, 0.86), (top - 0.08, 0.48)], bright)
    brush.line([(0, 0.84), (0, 1.0)], 0.03, "#54402f")
    brush.poly([(0, 1.0), (0.2, 0.94), (0, 0.89)], bright)


def paint_fence(brush: Brush, hand: Hand) -> None:
    """A picket fence."""
    wood = hand.pick(("#f2ead8", "#c89a66"))
    for step in range(-3, 4):
        x = step * 0.3
        brush.poly([(x - 0.11, 0), (x + 0.11, 0), (x + 0.11, 0.8), (x, 1.0), (x - 0.11, 0.8)], wood)
    for y in (0.25, 0.6):
        brush.box(-1.05, y, 1.05, y + 0.14, wood)


def paint_bench(brush: Brush, hand: Hand) -> None:
    """A park bench."""
    wood = hand.pick(("#8a5a34", "#6f4a30"))
    for x in (-0.6, 0.6):
        brush.line([(x, 0), (x, 0.95)], 0.09, "#3f3a3c")
    for y in (0.4, 0.66, 0.86):
        brush.box(-0.78, y, 0.78, y + 0.13, wood)


def paint_flag(brush: Brush, hand: Hand) -> None:
    """A flag that flies from a pole."""
    brush.line([(0, 0), (0, 1.0)], 0.05, "#5a4a42")
    brush.poly(
        [(0, 1.0), (0.3, 0.94), (0.6, 1.0), (0.6, 0.66), (0.3, 0.6), (0, 0.66)],
        hand.pick(("#d83a3a", "#2f6fd0", "#f2b632")),
    )
