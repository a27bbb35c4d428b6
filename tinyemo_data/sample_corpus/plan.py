"""What a picture will show, decided before any of it is painted: facts, captions and pixels all follow the plan."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tinyemo_data.sample_corpus.canvas import parse_colour
from tinyemo_data.sample_corpus.objects import THINGS
from tinyemo_data.sample_corpus.objects.people import POSES
from tinyemo_data.sample_corpus.placement import Item, Placer, Room
from tinyemo_data.sample_corpus.style import Composition, Light, Line, Scene, Styles, Weights, load_styles

Name = TypeVar("Name", bound=str)

PORTRAIT = "portrait"
DARK_SKY = 90  # mean of a sky's top (0-255) under which stars show, and over which a rainbow does
CLOUDED = {"clouds": (2, 3), "rain": (2, 3), "lightning": (1, 2), "snow": (1, 2)}
ORB_CHANCE = 0.7
UPRIGHT = 0.09  # lean of a head from which on it would leave its portrait
HORIZON_JITTER, SLOPE_JITTER = 0.06, 0.05  # standard deviations, shares of the height


@dataclass(frozen=True)
class Plan:
    """Everything that is chosen of one picture; `items` are in painting order, far things first."""

    emotion: str
    seed: int
    width: int
    height: int
    light: str
    scene: str
    weather: str
    composition: str
    line: Line
    horizon: float
    slope: float
    pose: str
    face: str
    items: tuple[Item, ...]


def seeded(*parts: object) -> np.random.Generator:
    """Return a generator that depends on every part, and on nothing else."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def pick(rng: np.random.Generator, weights: Mapping[Name, float]) -> Name:
    """Return a key, chosen by its weight."""
    shares = np.fromiter(weights.values(), dtype=float)
    return list(weights)[int(rng.choice(len(shares), p=shares / shares.sum()))]


def make_plan(emotion: str, seed: str, size: int, subject: str | None = None) -> Plan:
    """Choose what a picture of `emotion` shows: short side from `size` pixels, `subject` in it if one is named.

    Raises UnknownLabelError for an emotion that has no style.
    """
    styles, rng = load_styles(), seeded("plan", emotion, seed)
    style = styles.emotion(emotion)
    light = _either(rng, style.lights, styles.lights, styles.astray.light)
    scene = _scene(rng, styles, emotion, subject)
    composition = _either(rng, style.compositions, styles.compositions, styles.astray.composition)
    shape, place = styles.compositions[composition], styles.scenes[scene]
    weather = _weather(rng, styles, emotion, styles.lights[light])
    room = _room(rng, shape, place, size)
    placer = Placer(room, shape, rng)
    pose = pick(rng, style.poses)
    is_portrait = subject in (None, "person") and rng.random() < styles.portrait
    if is_portrait:
        items = placer.portrait()
    else:
        in_sky = _sky_items(placer, styles.lights[light], weather)
        items = in_sky + _standing_items(placer, styles, emotion, place, subject)
    return Plan(
        emotion=emotion, seed=int(rng.integers(2**31)), width=room.width, height=room.height, light=light,
        scene=scene, weather=weather, composition=PORTRAIT if is_portrait else composition,
        line=pick(rng, style.lines), horizon=room.horizon, slope=room.slope,
        pose="standing" if is_portrait and abs(POSES[pose][2]) > UPRIGHT else pose, face=style.face, items=tuple(items),
    )  # fmt: skip


def _either(rng: np.random.Generator, own: Weights, common: Iterable[str], astray: float) -> str:
    """Choose by the emotion's own weights or, with the probability `astray`, evenly from all that there is."""
    return pick(rng, dict.fromkeys(common, 1.0) if rng.random() < astray else own)


def _scene(rng: np.random.Generator, styles: Styles, emotion: str, subject: str | None) -> str:
    needs_water = subject is not None and THINGS[subject].where == "water"
    possible = [name for name, scene in styles.scenes.items() if scene.water or not needs_water]
    own = {name: weight for name, weight in styles.emotion(emotion).scenes.items() if name in possible}
    return _either(rng, own or dict.fromkeys(possible, 1.0), possible, styles.astray.scene)


def _weather(rng: np.random.Generator, styles: Styles, emotion: str, light: Light) -> str:
    """Choose a weather; stars need a dark sky, a rainbow a bright one."""
    chosen = _either(rng, styles.emotion(emotion).weathers, styles.weathers, styles.astray.weather)
    is_dark = sum(parse_colour(light.sky[0])) / 3 < DARK_SKY
    if (chosen == "stars" and not is_dark) or (chosen == "rainbow" and is_dark):
        return "clear"
    return chosen


def _room(rng: np.random.Generator, shape: Composition, scene: Scene, size: int) -> Room:
    """Choose the picture's size and horizon: short side 1 to 1.25 times `size`, long side up to a third more."""
    short = size * rng.uniform(1.0, 1.25)
    long = round(short * rng.uniform(1.0, 4 / 3))
    width, height = (long, round(short)) if rng.random() < 0.7 else (round(short), long)
    horizon = float(np.clip(shape.horizon + rng.normal(0, HORIZON_JITTER), 0.3, 0.8))
    slope = float(shape.slope + rng.normal(0, SLOPE_JITTER))
    below = 1 - horizon
    waters = [layer.at for layer in scene.layers if layer.ridge == "waves"]
    water = horizon + waters[0] * below if waters else None
    return Room(width, height, horizon, slope, horizon + max(scene.layers[-1].at, 0.0) * below, water)


def _sky_items(placer: Placer, light: Light, weather: str) -> list[Item]:
    """Place sun or moon where the composition has its light, and the clouds of the weather."""
    rng, found = placer.rng, []
    if light.orb and weather not in ("rain", "lightning") and rng.random() < ORB_CHANCE:
        found.append(placer.place_in_sky(light.orb, placer.shape.glow[0], float(rng.uniform(0.16, 0.26))))
    low, high = CLOUDED.get(weather, (0, 0))
    found += [
        placer.place_in_sky("cloud", float(rng.random()), float(rng.uniform(0.09, 0.16)))
        for _ in range(int(rng.integers(low, high + 1)))
    ]
    return [item for item in found if item is not None]


def _standing_items(placer: Placer, styles: Styles, emotion: str, scene: Scene, subject: str | None) -> list[Item]:
    """Place what the composition has room for, the subject first; far things are painted before near ones."""
    rng, shape = placer.rng, placer.shape
    count = int(rng.integers(shape.count[0], shape.count[1] + 1))
    found: list[Item] = []
    name = ""
    for index in range(count):
        if not (shape.place == "pairs" and index % 2):
            name = _object(rng, styles, emotion, scene)
        if index == 0 and subject is not None:
            name = subject
        item = placer.place(name, index, count, insist=index == 0 and subject is not None)
        if item is not None:
            found.append(item)
    return sorted(found, key=lambda item: (THINGS[item.name].where != "sky", item.foot))


def _object(rng: np.random.Generator, styles: Styles, emotion: str, scene: Scene) -> str:
    own = {name: weight for name, weight in styles.emotion(emotion).objects.items() if _fits(name, scene)}
    return _either(rng, own, (name for name in styles.distractors if _fits(name, scene)), styles.astray.objects)


def _fits(name: str, scene: Scene) -> bool:
    return THINGS[name].where != "water" or scene.water is not None
