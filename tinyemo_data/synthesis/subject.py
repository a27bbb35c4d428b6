"""What is known of one picture before anything is asked about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What annotators said and what the program measured; None or empty where nobody did."""

    brightness: float | None = None  # mean luma, 0 (black) to 1 (white), measured
    colourfulness: float | None = None  # Hasler & Süsstrunk's M3: 0 none, 33 moderate, 59 quite, 109 extreme
    dominant_colours: tuple[tuple[str, float], ...] = ()  # `#rrggbb` and its share of pixels (0–1), measured
    width: int | None = None  # pixels
    height: int | None = None
    scene: str | None = None
    objects: tuple[str, ...] = ()
    facial_expression: str | None = None
    human_action: str | None = None
    theme: str | None = None  # OASIS's theme, or the word a picture was searched by, where it is no label
    valence: float | None = None  # human mean, on the dataset's own scale
    arousal: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One picture that records are made of."""

    sample_id: str
    dataset: str
    image_path: str  # relative to the dataset's root, with /
    sha256: str  # of the picture's bytes, hex
    emotion: str | None  # the label that records are conditioned on; None where a dataset has dimensions alone
    taxonomy: str | None
    label_origin: str | None  # annotators or projector
    facts: Facts

    @property
    def image(self) -> str:
        """Return the picture's path below the folder of all datasets: `<dataset>/<image_path>`."""
        return f"{self.dataset}/{self.image_path}"
