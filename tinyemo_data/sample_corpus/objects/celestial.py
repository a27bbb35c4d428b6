"""What hangs in the sky: sun, moon, clouds."""

import math

from tinyemo_data.sample_corpus.canvas import Brush
from tinyemo_data.sample_corpus.objects.thing import Hand


def paint_sun(brush: Brush, hand: Hand) -> None:
    """The sun; with rays unless lines are wavy."""
    disc = hand.pick(("#fff0a0", "#ffe27a", "#ffd65a"))
    if hand.line != "wavy":
        for step in range(10):
            angle = step * math.pi / 5 + hand.tilt
            tip = (0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle))
            base = [(0.36 * math.cos(angle + d), 0.5 + 0.36 * math.sin(angle + d)) for d in (-0.16, 0.16)]
            brush.poly([tip, *base], disc)
    brush.oval(0, 0.5, 0.31, 0.31, disc)


def paint_moon(brush: Brush, hand: Hand) -> None:
    """The moon with its seas; full, or a crescent."""
    disc = hand.pick(("#f4f0dc", "#e8e8ee"))
    if hand.between(0, 1) < 0.5:
        arc = [math.radians(angle) for angle in range(-110, 111, 10)]
        outer = [(0.42 * math.cos(t), 0.5 + 0.42 * math.sin(t)) for t in arc]
        inner = [(0.42 * math.cos(t) * 0.45 - 0.08, 0.5 + 0.4 * math.sin(t)) for t in reversed(arc)]
        brush.poly([*outer, *inner], disc)
        return
    brush.oval(0, 0.5, 0.4, 0.4, disc)
    for x, y, radius in ((-0.12, 0.6, 0.1), (0.14, 0.5, 0.07), (-0.04, 0.34, 0.08)):
        brush.oval(x, y, radius, radius, "#c8c4b4")


def paint_cloud(brush: Brush, hand: Hand) -> None:
    """A cloud with a shaded belly: puffs, or a torn wedge where lines are jagged."""
    white, belly = "#fdfdfd", "#a4b0c0"
    if hand.line == "jagged":
        brush.poly([(-1.2, 0.1), (-0.5, 0.4), (0.2, 0.45), (1.2, 0.25), (0.4, -0.1)], belly)
        brush.poly([(-1.2, 0.1), (-0.6, 0.62), (-0.2, 0.5), (0.2, 1.0), (0.5, 0.5), (1.2, 0.25), (0.3, 0.2)], white)
        return
    flat = 0.7 if hand.line == "wavy" else 1.0
    for drop, colour in ((0.14, belly), (0.0, white)):
        for x, y, radius in ((-0.7, 0.34, 0.3), (-0.25, 0.56, 0.42), (0.3, 0.52, 0.38), (0.75, 0.34, 0.28)):
            brush.oval(x, (y - drop) * flat, radius, radius * flat, colour)
