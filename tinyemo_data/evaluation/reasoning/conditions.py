"""The rows of the ablation table: which model is asked, what it is told of the label, and whose picture it sees."""

from dataclasses import dataclass
from typing import Literal

Model = Literal["finetuned", "pretrained", "untrained"]
Told = Literal["given", "predicted", "withheld"]
Shown = Literal["own", "shuffled"]

MODEL_TITLES: dict[Model, str] = {
    "finetuned": "both stages",
    "pretrained": "pretrain only",
    "untrained": "untrained connector",
}
TOLD_TITLES: dict[Told, str] = {
    "given": "label given",
    "predicted": "label predicted",
    "withheld": "label withheld",
}


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    untrained: what stage 1 begins from, the same tower and language model with a connector of random weights.
    given: the question tells the dataset's label; predicted: the projector's; withheld: none. shuffled: the picture
    is another sample's, so that nothing in it tells of the label that is asked for.
    """

    model: Model
    told: Told
    shown: Shown = "own"

    @property
    def key(self) -> str:
        """Return its name for programs: `finetuned/withheld`, `finetuned/withheld/shuffled`."""
        return f"{self.model}/{self.told}" + ("" if self.shown == "own" else f"/{self.shown}")

    @property
    def title(self) -> str:
        """Return its name for people."""
        return f"{MODEL_TITLES[self.model]}, {TOLD_TITLES[self.told]}" + (
            "" if self.shown == "own" else ", pictures shuffled"
        )


WITHHELD = Condition("finetuned", "withheld")
SHUFFLED = Condition("finetuned", "withheld", "shuffled")
UNTRAINED = Condition("untrained", "withheld")
GIVEN, PREDICTED = Condition("finetuned", "given"), Condition("finetuned", "predicted")

CONDITIONS = (
    GIVEN,
    PREDICTED,
    WITHHELD,
    SHUFFLED,
    Condition("pretrained", "given"),
    Condition("pretrained", "predicted"),
    Condition("pretrained", "withheld"),
    UNTRAINED,
)
# What is compared picture by picture: the first less the second.
CONTRASTS = (
    (GIVEN, WITHHELD),
    (PREDICTED, WITHHELD),
    (GIVEN, PREDICTED),
    (WITHHELD, SHUFFLED),
    (WITHHELD, UNTRAINED),
    (GIVEN, Condition("pretrained", "given")),
    (PREDICTED, Condition("pretrained", "predicted")),
    (WITHHELD, Condition("pretrained", "withheld")),
)
