"""Sky, land and water: gradients, and layers whose edges are hills, peaks, waves, trees or roofs."""

from collections.abc import Callable

import numpy as np

from tinyemo_data.sample_corpus.canvas import Canvas, Colour, mix, parse_colour
from tinyemo_data.sample_corpus.plan import Plan, seeded
from tinyemo_data.sample_corpus.style import Layer, Light, Ridge, Scene

STEPS = 121  # points along an edge
LOWEST = 0.96  # of any land, share of the picture's height from its top
TREES = 17
DIM = 170  # mean of a tint (0-255) under which windows are lit
HAZE = 0.36  # how far the farthest layer fades


def paint_landscape(
    canvas: Canvas, plan: Plan, light: Light, scene: Scene, paint_behind: Callable[[Canvas, Plan], None]
) -> None:
    """Paint the sky, what `paint_behind` puts there, and the scene's layers from far to near, far ones hazy."""
    canvas.fill_sky(*light.sky, plan.horizon)
    paint_behind(canvas, plan)
    for index, layer in enumerate(scene.layers):
        rng = seeded("layer", plan.seed, index)
        nearness = (index + 1) / len(scene.layers)
        edge = plan.horizon + layer.at * (1 - plan.horizon) - ridge(layer.ridge, layer.relief, rng)
        if layer.ridge != "waves":
            edge = np.minimum(edge - bend(plan.slope, STEPS), LOWEST)
        colour = canvas.shade(layer.colour, HAZE * (1 - nearness))
        canvas.fill_below(edge, colour)
        _paint_detail(canvas, layer, edge, colour, rng)


def bend(slope: float, steps: int) -> np.ndarray:
    """Return how much higher the ground is from left to right, `steps` values (shares of the height)."""
    return slope * np.linspace(-0.5, 0.5, steps)


def ridge(kind: Ridge, relief: float, rng: np.random.Generator) -> np.ndarray:
    """Return how high an edge runs at `STEPS` places, up to about `relief` (both shares of the picture's height)."""
    x = np.linspace(0, 1, STEPS)
    if kind == "flat":
        return relief * np.sin(x * 9 + rng.uniform(0, 6))
    if kind == "waves":
        return relief * np.sin(x * 60 + rng.uniform(0, 6))
    if kind == "hills":
        waves = [np.sin(x * rng.uniform(3, 9) + rng.uniform(0, 6)) / n for n in (1, 2)]
        return relief * (0.5 + 0.35 * sum(waves, np.zeros(STEPS)))
    if kind == "peaks":
        knots = rng.integers(5, 8)
        heights = np.where(
            np.arange(knots) % 2 == rng.integers(2), rng.uniform(0.7, 1, knots), rng.uniform(0.1, 0.4, knots)
        )
        return relief * np.interp(x, np.linspace(0, 1, knots), heights) + rng.normal(0, relief * 0.03, STEPS)
    return _repeated(kind, relief, x, rng)


def _repeated(kind: Ridge, relief: float, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an edge made of things side by side: round crowns, pointed pines, or flat roofs."""
    position = x * TREES * (0.6 if kind == "roofs" else 1.0)
    which, within = position.astype(int), position % 1
    shape = np.ones(STEPS)
    if kind == "crowns":
        shape = 0.55 + 0.45 * np.sqrt(np.clip(1 - (2 * within - 1) ** 2, 0, 1))
    elif kind == "pines":
        shape = 1 - 0.6 * np.abs(2 * within - 1)
    return np.asarray(relief * shape * rng.uniform(0.55, 1.0, TREES + 1)[which])


def _paint_detail(canvas: Canvas, layer: Layer, edge: np.ndarray, colour: Colour, rng: np.random.Generator) -> None:
    if layer.ridge == "waves":
        _paint_ripples(canvas, edge, colour, rng)
    elif layer.ridge == "roofs":
        _paint_windows(canvas, edge, rng)
    elif layer.ridge == "peaks" and layer.relief > 0.2:
        _paint_snowcaps(canvas, edge, colour)
    elif layer.ridge in ("hills", "flat"):
        _paint_tufts(canvas, edge, colour, rng)


def _paint_ripples(canvas: Canvas, edge: np.ndarray, colour: Colour, rng: np.random.Generator) -> None:
    light = mix(colour, (255, 255, 255), 0.35)
    top = float(edge.max())
    for _ in range(14):
        x, y = rng.uniform(0, 1) * canvas.width, rng.uniform(top, 1) * canvas.height
        length = rng.uniform(0.04, 0.12) * canvas.width
        canvas.pen.line([(x, y), (x + length, y)], fill=light, width=2)


def _paint_windows(canvas: Canvas, edge: np.ndarray, rng: np.random.Generator) -> None:
    """Put rows of windows under the roofs: lit where the light is dim, else they mirror the sky."""
    is_dim = sum(canvas.tint) / 3 < DIM
    pane = parse_colour("#ffe08a") if is_dim else canvas.shade("#cfe2ee")
    side, high = canvas.short * 0.016, canvas.short * 0.026
    for place in range(2, STEPS - 2, 4):
        if rng.random() < 0.5:
            top = float(edge[place - 1 : place + 3].max()) * canvas.height + high
            x = place / (STEPS - 1) * canvas.width
            for row in range(int(rng.integers(1, 4))):
                y = top + row * high * 2
                canvas.pen.rectangle((x, y, x + side, y + high), fill=pane)


def _paint_snowcaps(canvas: Canvas, edge: np.ndarray, colour: Colour) -> None:
    """Whiten what rises over the upper third of the range."""
    line = float(edge.min()) + (float(edge.max()) - float(edge.min())) * 0.3
    across = np.linspace(0, canvas.width, STEPS)
    for start in np.flatnonzero((edge[:-1] >= line) & (edge[1:] < line)):
        stop = start + 1
        while stop < STEPS - 1 and edge[stop] < line:
            stop += 1
        cap = [(float(across[i]), float(edge[i]) * canvas.height) for i in range(start + 1, stop)]
        low = line * canvas.height
        zigzag = [(float(across[i]), low + (canvas.short * 0.02 if i % 4 < 2 else 0)) for i in range(stop, start, -2)]
        if len(cap) > 1:
            canvas.pen.polygon(cap + zigzag, fill=mix(colour, (255, 255, 255), 0.7))


def _paint_tufts(canvas: Canvas, edge: np.ndarray, colour: Colour, rng: np.random.Generator) -> None:
    """Scatter short strokes of a lighter and a darker shade over the land."""
    shades = (mix(colour, (255, 255, 255), 0.18), mix(colour, (0, 0, 0), 0.18))
    for index in range(26):
        place = int(rng.integers(STEPS))
        y = rng.uniform(float(edge[place]) + 0.02, 1.05) * canvas.height
        x, length = place / (STEPS - 1) * canvas.width, rng.uniform(0.01, 0.03) * canvas.short
        canvas.pen.line([(x, y), (x + length * 0.4, y - length)], fill=shades[index % 2], width=2)
