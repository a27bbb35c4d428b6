"""People: a figure in one of a few poses, with a face that is drawn as it feels."""

from tinyemo_data.sample_corpus.canvas import Brush, Point
from tinyemo_data.sample_corpus.objects.thing import Hand

COATS = ("#c8443c", "#3f6fb8", "#e0a02e", "#4f8a5a", "#7a4f9a", "#4a4650")
SKINS = ("#f2cfa8", "#d8a070", "#8f5f3c", "#f6dcc4")

# Hands and feet of the right and the left side in the figure's frame, and how far the head leans forward.
POSES: dict[str, tuple[tuple[Point, Point], tuple[Point, Point], float]] = {
    "standing": (((0.2, 0.34), (-0.2, 0.34)), ((0.1, 0), (-0.1, 0)), 0),
    "jumping": (((0.36, 0.98), (-0.36, 0.98)), ((0.3, 0.06), (-0.3, 0.06)), 0),
    "dancing": (((0.4, 0.9), (-0.36, 0.4)), ((0.3, 0.1), (-0.08, 0)), 0.04),
    "waving": (((0.34, 1.0), (-0.2, 0.34)), ((0.1, 0), (-0.1, 0)), 0),
    "sitting": (((0.22, 0.3), (-0.1, 0.2)), ((0.42, 0), (0.34, 0)), 0.06),
    "bowing": (((0.26, 0.3), (0.16, 0.28)), ((0.08, 0), (-0.08, 0)), 0.16),
    "shouting": (((0.46, 0.8), (-0.4, 0.72)), ((0.2, 0), (-0.2, 0)), 0.08),
    "fighting": (((0.52, 0.62), (0.3, 0.72)), ((0.3, 0), (-0.24, 0)), 0.06),
    "hiding": (((0.16, 0.78), (-0.16, 0.78)), ((0.06, 0), (-0.06, 0)), 0),
    "running": (((0.34, 0.5), (-0.34, 0.56)), ((0.36, 0.06), (-0.4, 0.14)), 0.1),
    "turning away": (((-0.4, 0.74), (-0.3, 0.56)), ((0.14, 0), (-0.06, 0)), -0.12),
    "arms out": (((0.5, 0.66), (-0.5, 0.66)), ((0.18, 0), (-0.18, 0)), 0),
}
# Mouth as a line in head radii, whether it is open, and the inner and outer height of the brows.
FACES: dict[str, tuple[tuple[Point, ...], bool, tuple[float, float]]] = {
    "smiling": (((-0.5, -0.25), (0, -0.5), (0.5, -0.25)), False, (0.5, 0.45)),
    "laughing": (((-0.5, -0.2), (0.5, -0.2), (0, -0.7)), True, (0.6, 0.5)),
    "gazing": (((-0.2, -0.4), (0.2, -0.4)), False, (0.6, 0.55)),
    "crying": (((-0.4, -0.55), (0, -0.35), (0.4, -0.55)), False, (0.6, 0.35)),
    "scowling": (((-0.45, -0.5), (0.45, -0.4)), False, (0.25, 0.6)),
    "screaming": (((-0.3, -0.2), (0.3, -0.2), (0.25, -0.7), (-0.25, -0.7)), True, (0.7, 0.5)),
    "grimacing": (((-0.5, -0.45), (-0.15, -0.3), (0.15, -0.5), (0.5, -0.35)), False, (0.35, 0.5)),
    "gaping": (((-0.25, -0.2), (0.25, -0.2), (0.25, -0.65), (-0.25, -0.65)), True, (0.8, 0.75)),
}


def paint_person(brush: Brush, hand: Hand) -> None:
    """A figure in `hand.pose` with the face `hand.face`."""
    hands, feet, lean = POSES[hand.pose]
    coat, skin = hand.pick(COATS), hand.pick(SKINS)
    hip, neck = ((0.0, 0.2), (lean * 0.5, 0.62)) if hand.pose == "sitting" else ((0.0, 0.34), (lean, 0.68))
    for foot, side in zip(feet, (1, -1), strict=True):
        knee = (foot[0] * 0.7, hip[1] if hand.pose == "sitting" else hip[1] * 0.5)
        brush.line([(hip[0] + side * 0.05, hip[1]), knee, foot], 0.09, "#34323e")
    brush.poly([(neck[0] - 0.12, neck[1]), (neck[0] + 0.12, neck[1]), (0.16, hip[1]), (-0.16, hip[1])], coat)
    for place, side in zip(hands, (1, -1), strict=True):
        brush.line([(neck[0] + side * 0.1, neck[1] - 0.04), place], 0.075, coat)
        brush.oval(*place, 0.045, 0.045, skin)
    head = (neck[0] + lean * 0.6, neck[1] + 0.15)
    brush.oval(head[0], head[1] + 0.04, 0.165, 0.16, hand.pick(("#3a2a22", "#6a4528", "#26242a", "#c89a4e")))
    paint_face(brush, head, 0.15, hand.face, skin)


def paint_face(brush: Brush, centre: Point, radius: float, face: str, skin: str) -> None:
    """Draw a head's front: eyes, brows and mouth as the feeling has them."""
    mouth, is_open, (inner, outer) = FACES[face]
    (x, y), dark = centre, "#2a2226"
    brush.oval(x, y, radius, radius, skin)
    for side in (-1, 1):
        brush.oval(x + side * 0.38 * radius, y + 0.15 * radius, 0.13 * radius, 0.17 * radius, dark)
        brow = [(x + side * 0.2 * radius, y + inner * radius), (x + side * 0.6 * radius, y + outer * radius)]
        brush.line(brow, 0.12 * radius, dark)
        if face == "crying":
            brush.oval(x + side * 0.4 * radius, y - 0.2 * radius, 0.1 * radius, 0.2 * radius, "#6ab0e8")
    points = [(x + px * radius, y + py * radius) for px, py in mouth]
    if is_open:
        brush.poly(points, "#7a1f2a")
    else:
        brush.line(points, 0.14 * radius, dark)
