"""Draws one picture of an emotion, and says what is in it."""

from dataclasses import dataclass

from PIL import Image

from tinyemo_data.sample_corpus import finish
from tinyemo_data.sample_corpus.canvas import Brush, Canvas
from tinyemo_data.sample_corpus.landscape import paint_landscape
from tinyemo_data.sample_corpus.objects import THINGS
from tinyemo_data.sample_corpus.objects.thing import Hand
from tinyemo_data.sample_corpus.placement import Item
from tinyemo_data.sample_corpus.plan import PORTRAIT, Plan, make_plan, seeded
from tinyemo_data.sample_corpus.style import load_styles
from tinyemo_data.sample_corpus.weather import paint_weather_before, paint_weather_behind

FACE_RADIUS = 0.15  # of a figure's height
SEEN_FACE = 9.0  # pixels of radius from which on a face can be read


@dataclass(frozen=True)
class Facts:
    """What is really in a drawn picture; brightness and colourfulness (0-1) are measured from its pixels."""

    emotion: str
    scene: str
    light: str
    weather: str
    composition: str
    objects: tuple[str, ...]  # each name once, the largest first
    brightness: float
    colourfulness: float
    facial_expression: str | None  # None where no face is large enough to be read
    human_action: str | None  # None where nobody is in it


@dataclass(frozen=True)
class Drawing:
    """A picture (RGB), the facts of it, and the plan that it was painted by."""

    image: Image.Image
    facts: Facts
    plan: Plan


def draw(emotion: str, seed: str | int, size: int = 96, subject: str | None = None) -> Drawing:
    """Draw a picture of `emotion`; equal arguments give equal pixels.

    Its short side has 1 to 1.25 times `size` pixels. `subject` is an object that must be in it.
    Raises UnknownLabelError for an emotion that has no style in `styles.yaml`.
    """
    plan = make_plan(emotion, str(seed), size, subject)
    image = paint(plan)
    return Drawing(image, gather_facts(plan, image), plan)


def paint(plan: Plan) -> Image.Image:
    """Paint a plan: sky and land, weather behind, things from far to near, weather before, light and grain."""
    styles = load_styles()
    light, scene = styles.lights[plan.light], styles.scenes[plan.scene]
    canvas = Canvas(plan.width, plan.height, light.tint, light.sky[1])
    paint_landscape(canvas, plan, light, scene, paint_weather_behind)
    for item in plan.items:
        paint_item(canvas, plan, item)
    paint_weather_before(canvas, plan)
    return finish.finish(canvas.image, styles.compositions.get(plan.composition), plan.seed)


def paint_item(canvas: Canvas, plan: Plan, item: Item) -> None:
    """Paint one thing; its looks depend on its own seed, not on what else there is."""
    thing = THINGS[item.name]
    brush = Brush(
        canvas, item.x, item.foot, item.height, item.tilt, item.mirrored,
        depth=0.15 if thing.where == "sky" else 0.0, glowing=thing.glowing,
    )  # fmt: skip
    thing.paint(brush, Hand(seeded("item", item.seed), plan.line, item.tilt, plan.pose, plan.face))


def gather_facts(plan: Plan, image: Image.Image) -> Facts:
    """Return what a painted plan shows."""
    by_size = sorted(plan.items, key=lambda item: -item.height)
    people = [item for item in by_size if item.name == "person"]
    is_readable = bool(people) and people[0].height * FACE_RADIUS * min(image.size) >= SEEN_FACE
    return Facts(
        emotion=plan.emotion, scene=plan.scene, light=plan.light, weather=plan.weather,
        composition=plan.composition, objects=tuple(dict.fromkeys(item.name for item in by_size)),
        brightness=finish.brightness(image), colourfulness=finish.colourfulness(image),
        facial_expression=plan.face if is_readable else None,
        human_action=plan.pose if people and plan.composition != PORTRAIT else None,
    )  # fmt: skip
