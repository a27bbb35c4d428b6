"""Weather over a scene: rain, snow, lightning, stars and rainbows. Clouds are things of their own."""

import numpy as np

from tinyemo_data.sample_corpus.canvas import Canvas, Colour, mix, parse_colour
from tinyemo_data.sample_corpus.plan import Plan, seeded

RAINBOW = ("#e8483f", "#f5a03a", "#f6e04a", "#5ac05a", "#4a8fe8", "#8a5ac8")


def paint_weather_behind(canvas: Canvas, plan: Plan) -> None:
    """Paint what is farther than everything on the ground: stars, a rainbow, lightning."""
    rng = seeded("weather", plan.seed)
    if plan.weather == "stars":
        _paint_stars(canvas, plan.horizon, rng)
    elif plan.weather == "rainbow":
        _paint_rainbow(canvas, plan, rng)
    elif plan.weather == "lightning":
        _paint_lightning(canvas, plan.horizon, rng)


def paint_weather_before(canvas: Canvas, plan: Plan) -> None:
    """Paint what falls between the scene and the eye: rain or snow."""
    rng = seeded("falling", plan.seed)
    if plan.weather == "rain":
        slant = rng.uniform(-0.3, 0.3)
        for x, y, length in rng.uniform((0, -0.1, 0.05), (1, 1, 0.11), (90, 3)):
            start = (x * canvas.width, y * canvas.height)
            tip = (start[0] + slant * length * canvas.short, start[1] + length * canvas.short)
            canvas.pen.line([start, tip], fill=mix(canvas.shade("#dfe8f2"), (255, 255, 255), 0.2), width=1)
    elif plan.weather == "snow":
        for x, y, radius in rng.uniform((0, 0, 0.006), (1, 1, 0.016), (70, 3)):
            _dot(canvas, x, y, radius, parse_colour("#fbfdff"))


def _paint_stars(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    for x, y, radius in rng.uniform((0, 0, 0.004), (1, horizon * 0.9, 0.014), (40, 3)):
        _dot(canvas, x, y, radius, parse_colour("#fff8e0"))


def _paint_rainbow(canvas: Canvas, plan: Plan, rng: np.random.Generator) -> None:
    x, y = rng.uniform(0.3, 0.7) * canvas.width, (plan.horizon + 0.05) * canvas.height
    radius, band = rng.uniform(0.42, 0.5) * canvas.width, canvas.short * 0.018
    for index, colour in enumerate(RAINBOW):
        r = radius - index * band
        soft = mix(parse_colour(colour), (255, 255, 255), 0.25)
        canvas.pen.arc((x - r, y - r, x + r, y + r), 180, 360, fill=soft, width=round(band) + 1)


def _paint_lightning(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    for x in rng.uniform(0.15, 0.85, int(rng.integers(1, 3))):
        steps = np.linspace(0.05, horizon, 6)
        path = [((x + rng.uniform(-0.06, 0.06)) * canvas.width, float(y) * canvas.height) for y in steps]
        canvas.pen.line(path, fill=parse_colour("#fff6b8"), width=max(3, canvas.short // 45))


def _dot(canvas: Canvas, x: float, y: float, radius: float, colour: Colour) -> None:
    cx, cy, r = x * canvas.width, y * canvas.height, radius * canvas.short
    canvas.pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=colour)
