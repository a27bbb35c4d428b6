"""How each emotion is drawn, read from `styles.yaml`: lights, scenes, compositions and how often each is picked."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tinyemo_data.errors import UnknownLabelError, nearest

STYLES = Path(__file__).with_name("styles.yaml")

Line = Literal["round", "wavy", "jagged"]
Ridge = Literal["flat", "hills", "peaks", "waves", "crowns", "pines", "roofs"]
Place = Literal["line", "centre", "scatter", "pairs", "edge", "sides", "ring"]
Weights = dict[str, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Astray(_Strict):
    """How often a choice ignores its emotion."""

    light: float
    scene: float
    composition: float
    weather: float
    objects: float


class Light(_Strict):
    """The hour: sky colours from the top to the horizon, what tints everything, and what shines."""

    sky: tuple[str, str]
    tint: str
    orb: Literal["sun", "moon"] | None


class Layer(_Strict):
    """One layer of land or water: where its edge runs between horizon (0) and lower edge (1), and how."""

    at: float
    ridge: Ridge
    relief: float
    colour: str


class Scene(_Strict):
    """A place: its ground, its water if it has any, and its layers from far to near."""

    ground: str
    water: str | None = None
    layers: list[Layer]


class Composition(_Strict):
    """How a picture is built: slope, horizon, where things stand, how many and how large, and where light falls."""

    slope: float
    horizon: float
    place: Place
    count: tuple[int, int]
    size: tuple[float, float]
    glow: tuple[float, float, float]
    vignette: float
    tilt: float


class Style(_Strict):
    """One emotion: weights of everything that it may pick."""

    lights: Weights
    scenes: Weights
    weathers: Weights
    objects: Weights
    compositions: Weights
    lines: dict[Line, float]
    poses: Weights
    face: str


class Styles(_Strict):
    """All of `styles.yaml`."""

    portrait: float
    astray: Astray
    lights: dict[str, Light]
    scenes: dict[str, Scene]
    compositions: dict[str, Composition]
    weathers: list[str]
    distractors: list[str]
    emotions: dict[str, Style] = Field(min_length=1)

    def emotion(self, name: str) -> Style:
        """Return the style of an emotion. Raises UnknownLabelError naming the closest one."""
        if name not in self.emotions:
            raise UnknownLabelError(
                f"No style is drawn for the emotion '{name}'.{nearest(name, self.emotions)} "
                f"Add it under `emotions` in {STYLES.name}; known: {', '.join(self.emotions)}."
            )
        return self.emotions[name]


@cache
def load_styles() -> Styles:
    """Read `styles.yaml`; an emotion that is `like` another takes from it what it does not say itself."""
    raw: dict[str, Any] = yaml.safe_load(STYLES.read_text(encoding="utf-8"))
    emotions: dict[str, dict[str, Any]] = raw["emotions"]
    raw["emotions"] = {name: _inherited(style, emotions) for name, style in emotions.items()}
    return Styles.model_validate(raw)


def _inherited(style: dict[str, Any], emotions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    own = {key: value for key, value in style.items() if key != "like"}
    return {**emotions[style["like"]], **own} if "like" in style else own
