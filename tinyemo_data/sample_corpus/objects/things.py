"""Things that people make, carry, ride or send up."""

import math

from tinyemo_data.sample_corpus.canvas import Brush
from tinyemo_data.sample_corpus.objects.thing import Hand

BRIGHT = ("#e8433f", "#f5b52e", "#3f8fe0", "#58b84c", "#b455c8", "#ff7fae")


def paint_balloon(brush: Brush, hand: Hand) -> None:
    """A hot-air balloon with a striped envelope and a basket."""
    first, second = hand.pick(BRIGHT), hand.pick(("#fff2d8", "#ffd24a"))
    brush.poly([(-0.28, 0.5), (0.28, 0.5), (0.09, 0.22), (-0.09, 0.22)], first)
    brush.oval(0, 0.66, 0.34, 0.34, first)
    brush.oval(0, 0.66, 0.15, 0.34, second)
    brush.poly([(-0.12, 0.46), (0.12, 0.46), (0.04, 0.22), (-0.04, 0.22)], second)
    for x in (-0.08, 0.08):
        brush.line([(x, 0.22), (x * 0.8, 0.12)], 0.02, "#5a4030")
    brush.box(-0.09, 0, 0.09, 0.13, "#8a5a30")


def paint_kite(brush: Brush, hand: Hand) -> None:
    """A kite with a tail of bows."""
    first, second = hand.pick(BRIGHT), hand.pick(("#fff2d8", "#ffd24a", "#2f6fd0"))
    brush.line([(0, 0.42), (-0.08, 0.28), (0.06, 0.14), (-0.04, 0)], 0.03, "#f6efe0")
    brush.poly([(0, 1.0), (0.3, 0.74), (0, 0.42), (-0.3, 0.74)], first)
    brush.poly([(0, 1.0), (0.3, 0.74), (0, 0.74)], second)
    brush.poly([(0, 0.42), (-0.3, 0.74), (0, 0.74)], second)
    for x, y in ((-0.07, 0.27), (0.04, 0.13)):
        brush.poly([(x - 0.09, y + 0.05), (x + 0.09, y - 0.05), (x + 0.09, y + 0.05), (x - 0.09, y - 0.05)], first)


def paint_boat(brush: Brush, hand: Hand) -> None:
    """A sailing boat."""
    brush.line([(0, 0.18), (0, 1.0)], 0.045, "#5a4030")
    brush.poly([(0.04, 0.3), (0.04, 0.96), (0.44, 0.3)], hand.pick(("#fbf6ea", "#f2d7a0", "#e8685a")))
    brush.poly([(-0.04, 0.3), (-0.04, 0.84), (-0.32, 0.3)], "#f6efe0")
    brush.poly([(-0.5, 0.22), (0.56, 0.22), (0.38, 0), (-0.36, 0)], hand.pick(("#8a4f34", "#b4483c", "#3f5f8a")))


def paint_ball(brush: Brush, hand: Hand) -> None:
    """A beach ball."""
    first = hand.pick(BRIGHT)
    brush.oval(0, 0.5, 0.5, 0.5, "#fbf6ea")
    for start in (20, 140, 260):
        wedge = [
            (0.49 * math.cos(math.radians(start + a)), 0.5 + 0.49 * math.sin(math.radians(start + a)))
            for a in range(0, 61, 15)
        ]
        brush.poly([(0.0, 0.5), *wedge], first)
    brush.oval(0, 0.5, 0.09, 0.09, "#f5b52e")


def paint_gift(brush: Brush, hand: Hand) -> None:
    """A wrapped box with a bow."""
    paper, ribbon = hand.pick(BRIGHT), hand.pick(("#fff2d8", "#ffe04a"))
    brush.box(-0.42, 0, 0.42, 0.6, paper)
    brush.box(-0.47, 0.52, 0.47, 0.72, paper)
    brush.box(-0.08, 0, 0.08, 0.72, ribbon)
    brush.box(-0.42, 0.25, 0.42, 0.36, ribbon)
    brush.poly([(0, 0.72), (-0.32, 1.0), (-0.36, 0.76)], ribbon)
    brush.poly([(0, 0.72), (0.32, 1.0), (0.36, 0.76)], ribbon)


def paint_heart(brush: Brush, hand: Hand) -> None:
    """A heart."""
    red = hand.pick(("#e0304a", "#f2507a", "#c82848"))
    turns = [step * 2 * math.pi / 28 for step in range(28)]
    outline = [
        (
            math.sin(t) ** 3 * 0.5,
            0.52 + (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 34,
        )
        for t in turns
    ]
    brush.poly(outline, red)
    brush.oval(-0.2, 0.72, 0.08, 0.06, "#ff9ab0")


def paint_candle(brush: Brush, hand: Hand) -> None:
    """A burning candle on a dish."""
    brush.oval(0, 0.05, 0.34, 0.06, "#a8823c")
    brush.box(-0.13, 0.04, 0.13, 0.62, hand.pick(("#f6ead0", "#e8d0d0")))
    brush.oval(0, 0.8, 0.16, 0.2, "#ffb02e")
    brush.oval(0, 0.76, 0.08, 0.12, "#fff3b0")


def paint_campfire(brush: Brush, hand: Hand) -> None:
    """A blazing fire on logs."""
    brush.line([(-0.45, 0.02), (0.45, 0.16)], 0.12, "#5a3a26")
    brush.line([(-0.45, 0.16), (0.45, 0.02)], 0.12, "#6f4a30")
    lean = hand.between(-0.08, 0.08)
    brush.poly(
        [(-0.4, 0.12), (-0.34, 0.55), (-0.2, 0.42), (lean, 1.0), (0.2, 0.45), (0.34, 0.62), (0.4, 0.12)], "#e8401f"
    )
    brush.poly([(-0.26, 0.12), (-0.16, 0.4), (lean, 0.72), (0.18, 0.38), (0.26, 0.12)], "#ff9a1f")
    brush.poly([(-0.13, 0.12), (lean, 0.45), (0.13, 0.12)], "#ffe873")


def paint_umbrella(brush: Brush, hand: Hand) -> None:
    """An open umbrella."""
    cloth = hand.pick(BRIGHT)
    brush.line([(0, 0.95), (0, 0.08), (0.08, 0), (0.15, 0.08)], 0.05, "#4a3a34")
    arc = [(0.55 * math.cos(math.radians(a)), 0.5 + 0.46 * math.sin(math.radians(a))) for a in range(0, 181, 15)]
    brush.poly([*arc, (-0.36, 0.57), (-0.18, 0.5), (0, 0.57), (0.18, 0.5), (0.36, 0.57)], cloth)


def paint_bin(brush: Brush, hand: Hand) -> None:
    """An overflowing dustbin."""
    for x, y, radius in ((-0.2, 0.76, 0.15), (0.05, 0.84, 0.17), (0.24, 0.76, 0.13)):
        brush.oval(x, y, radius, radius, hand.pick(("#7a8a3a", "#9a7a4a", "#b8b09a", "#5f5a4a")))
    brush.poly([(-0.3, 0), (0.3, 0), (0.38, 0.72), (-0.38, 0.72)], hand.pick(("#6a7278", "#54705a")))
    for x in (-0.18, 0, 0.18):
        brush.line([(x, 0.06), (x * 1.15, 0.66)], 0.04, "#444c50")
    brush.box(0.3, 0, 0.62, 0.1, "#8a8a4a")


def paint_bottle(brush: Brush, hand: Hand) -> None:
    """A bottle with a label, half full."""
    glass = hand.pick(("#4f7a4a", "#7a5a2e", "#8a9a3a"))
    brush.box(-0.2, 0, 0.2, 0.56, glass)
    brush.poly([(-0.2, 0.56), (0.2, 0.56), (0.08, 0.74), (-0.08, 0.74)], glass)
    brush.box(-0.08, 0.72, 0.08, 1.0, glass)
    brush.box(-0.2, 0.16, 0.2, 0.42, "#d8d0a8")


def paint_car(brush: Brush, hand: Hand) -> None:
    """A car from the side."""
    body = hand.pick(("#c8322e", "#2f5fb0", "#e0a02e", "#3a3a44"))
    brush.poly([(-0.62, 0.45), (-0.4, 0.95), (0.3, 0.95), (0.58, 0.45)], body)
    brush.poly([(-0.46, 0.5), (-0.32, 0.84), (-0.06, 0.84), (-0.06, 0.5)], "#bfe0f0")
    brush.poly([(0.02, 0.5), (0.02, 0.84), (0.24, 0.84), (0.42, 0.5)], "#bfe0f0")
    brush.box(-0.95, 0.14, 0.98, 0.5, body)
    brush.box(0.88, 0.32, 0.98, 0.44, "#ffe98a")
    for x in (-0.55, 0.55):
        brush.oval(x, 0.18, 0.2, 0.2, "#26242a")
        brush.oval(x, 0.18, 0.09, 0.09, "#b8b8bc")


def paint_snowman(brush: Brush, hand: Hand) -> None:
    """A snowman with a hat, a carrot and a scarf."""
    for y, radius in ((0.24, 0.25), (0.56, 0.19), (0.79, 0.13)):
        brush.oval(0, y, radius, radius, "#f6f9fc")
    brush.box(-0.13, 0.64, 0.13, 0.7, hand.pick(BRIGHT))
    brush.poly([(0, 0.82), (0.2, 0.78), (0, 0.76)], "#f08a2e")
    for x in (-0.05, 0.06):
        brush.oval(x, 0.84, 0.02, 0.02, "#26242a")
    brush.box(-0.17, 0.89, 0.17, 0.92, "#26242a")
    brush.box(-0.1, 0.9, 0.1, 1.0, "#26242a")


def paint_firework(brush: Brush, hand: Hand) -> None:
    """A bursting rocket: two rings of sparks."""
    outer, inner = hand.pick(BRIGHT), hand.pick(("#fff3b0", "#ffffff", "#ffd24a"))
    for step in range(12):
        angle = step * math.pi / 6 + 0.2
        x, y = math.cos(angle), math.sin(angle)
        brush.line([(0.16 * x, 0.5 + 0.16 * y), (0.44 * x, 0.5 + 0.44 * y)], 0.035, outer)
        brush.oval(0.46 * x, 0.5 + 0.46 * y, 0.045, 0.045, outer)
        brush.line([(0.06 * x, 0.5 + 0.06 * y), (0.2 * x, 0.5 + 0.2 * y)], 0.03, inner)


def paint_ufo(brush: Brush, hand: Hand) -> None:
    """A flying saucer with a beam."""
    brush.poly([(-0.14, 0.5), (0.14, 0.5), (0.42, 0), (-0.42, 0)], "#f6f2a8")
    brush.oval(0, 0.74, 0.28, 0.25, "#9fe0e8")
    brush.oval(0, 0.6, 0.6, 0.16, hand.pick(("#a8b0c0", "#8f88b8")))
    for x in (-0.36, -0.12, 0.12, 0.36):
        brush.oval(x, 0.58, 0.05, 0.05, hand.pick(("#ff5a4a", "#ffe04a", "#5af08a")))
