"""Abstract paintings: an emotion's light, lines and composition without any thing that could be named."""

import math

from tinyemo_data.sample_corpus import finish
from tinyemo_data.sample_corpus.canvas import Brush, Canvas
from tinyemo_data.sample_corpus.drawing import Drawing, Facts
from tinyemo_data.sample_corpus.landscape import STEPS, bend, ridge
from tinyemo_data.sample_corpus.objects.thing import Hand
from tinyemo_data.sample_corpus.placement import Item
from tinyemo_data.sample_corpus.plan import Plan, make_plan, seeded
from tinyemo_data.sample_corpus.style import Line, Ridge, Scene, load_styles

SCENE = "abstract painting"
EDGES: dict[Line, Ridge] = {"round": "hills", "wavy": "waves", "jagged": "peaks"}
PAINTS = ("#e0483e", "#f2b632", "#3f7fc8", "#f2ece0", "#2e3440", "#58a06a", "#8a5ab0", "#e88aa0")
SMALL_MARKS = 6


def draw_abstract(emotion: str, seed: str | int, size: int = 96) -> Drawing:
    """Draw an abstract painting of `emotion`; equal arguments give equal pixels. Its facts name no objects.

    Raises UnknownLabelError for an emotion that has no style in `styles.yaml`.
    """
    plan = make_plan(emotion, f"abstract/{seed}", size)
    styles = load_styles()
    light = styles.lights[plan.light]
    canvas = Canvas(plan.width, plan.height, light.tint, light.sky[1])
    canvas.fill_sky(*light.sky, plan.horizon)
    _paint_bands(canvas, plan, styles.scenes[plan.scene])
    for item in plan.items:
        _paint_mark(canvas, plan, item)
    image = finish.finish(canvas.image, styles.compositions.get(plan.composition), plan.seed)
    facts = Facts(
        emotion=emotion, scene=SCENE, light=plan.light, weather="clear", composition=plan.composition, objects=(),
        brightness=finish.brightness(image), colourfulness=finish.colourfulness(image),
        facial_expression=None, human_action=None,
    )  # fmt: skip
    return Drawing(image, facts, plan)


def _paint_bands(canvas: Canvas, plan: Plan, scene: Scene) -> None:
    """Paint the scene's layers as bands of colour whose edges run as the emotion's lines do."""
    relief = 0.03 if plan.line == "wavy" else 0.14
    for index, layer in enumerate(scene.layers):
        rng = seeded("band", plan.seed, index)
        edge = plan.horizon + layer.at * (1 - plan.horizon) - ridge(EDGES[plan.line], relief, rng)
        canvas.fill_below(edge - bend(plan.slope, STEPS), canvas.shade(layer.colour, 0.1 * index))


def _paint_mark(canvas: Canvas, plan: Plan, item: Item) -> None:
    """Put a mark where a thing would stand: a disc in rings, a swash or a shard, and small ones beside it."""
    hand = Hand(seeded("mark", item.seed), plan.line, item.tilt, plan.pose, plan.face)
    brush = Brush(canvas, item.x, item.foot, item.height, item.tilt, item.mirrored)
    if plan.line == "round":
        for radius in (0.5, 0.36, 0.2):
            brush.oval(0, 0.5, radius, radius, hand.pick(PAINTS))
    elif plan.line == "wavy":
        for row in range(4):
            points = [(x / 10 - 0.6, 0.2 + row * 0.2 + 0.09 * math.sin(x * 0.9 + row)) for x in range(13)]
            brush.line(points, 0.09, hand.pick(PAINTS))
    else:
        for _ in range(3):
            tip = (hand.between(-0.6, 0.6), hand.between(0.7, 1.1))
            brush.poly(
                [(hand.between(-0.5, 0), 0), tip, (hand.between(0, 0.5), hand.between(0, 0.4))], hand.pick(PAINTS)
            )
    for _ in range(SMALL_MARKS):
        x, y = hand.between(-1.0, 1.0), hand.between(0, 1.2)
        brush.line([(x, y), (x + hand.between(-0.25, 0.25), y + hand.between(-0.25, 0.25))], 0.05, hand.pick(PAINTS))
