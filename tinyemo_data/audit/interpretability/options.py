"""How many words are told, and against how many random ones."""

from dataclasses import dataclass

from tinyemo_data.errors import SettingsError


@dataclass(frozen=True)
class Options:
    """Counts of the interpretability report. More controls and shuffles give finer p values and take longer."""

    words: int = 10  # told for each emotion and slice
    words_a_picture: int = 5
    controls: int = 1000  # random whole words; all there are where there are fewer
    shuffles: int = 99  # of labels within their dataset, behind each p_shuffled
    least: int = 30  # pictures of a slice
    pictures: int = 5000  # at most, of each dataset
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise SettingsError for a count that no report can be made with."""
        lowest = {"words": 1, "words_a_picture": 1, "controls": 20, "shuffles": 19, "least": 2, "pictures": 2}
        for name, least in lowest.items():
            if getattr(self, name) < least:
                raise SettingsError(f"interpretability.{name}: expected at least {least}, found {getattr(self, name)}.")
