"""What the judge is asked: a rubric of each text, and pairs of texts in both orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.conditions import GIVEN, PREDICTED, SHUFFLED, WITHHELD, Condition
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.judge.prompts import PAIR, RUBRIC, load_judge_prompt
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.prompt import Prompt
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.request import make_request

# Texts of shuffled pictures are judged by the picture that they are not about: it shows a judge that does not look.
SCORED = (GIVEN, PREDICTED, WITHHELD, SHUFFLED)
PAIRED = ((PREDICTED, WITHHELD), (PREDICTED, Condition("pretrained", "predicted")))
SIDE = 512  # pixels, where the settings send no pictures: a judge must look

Answers = Mapping[Condition, Sequence[Answered]]


@dataclass(frozen=True)
class Asked:
    """One question to the judge."""

    sample_id: str
    conditions: tuple[Condition, ...]  # whose text it is; of a pair the one that stands first comes first
    outgoing: Outgoing


class Questions:
    """Makes the judge's questions for one recipe."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the prompts. Raises PromptError."""
        self.recipe = recipe
        self.rubric, self.pair = load_judge_prompt(RUBRIC), load_judge_prompt(PAIR)

    def scores(self, pictures: Sequence[HeldOut], answers: Answers) -> Iterator[Asked]:
        """Yield a rubric of each text of the conditions that are scored."""
        for condition in SCORED:
            for picture, answer in zip(pictures, answers.get(condition, ()), strict=False):
                text = self.rubric.render(
                    emotion=picture.emotion, options=", ".join(picture.options), explanation=answer.text
                )
                yield Asked(picture.sample_id, (condition,), self._request(self.rubric, picture, text))

    def pairs(self, pictures: Sequence[HeldOut], answers: Answers) -> Iterator[Asked]:
        """Yield each pair of texts twice, in one order and the other; equal texts need no judge."""
        for one, other in PAIRED:
            rows = zip(pictures, answers.get(one, ()), answers.get(other, ()), strict=False)
            for picture, left, right in rows:
                if left.text == right.text:
                    continue
                for order in (((one, left), (other, right)), ((other, right), (one, left))):
                    (first, first_text), (second, second_text) = order
                    text = self.pair.render(emotion=picture.emotion, first=first_text.text, second=second_text.text)
                    yield Asked(picture.sample_id, (first, second), self._request(self.pair, picture, text))

    def _request(self, prompt: Prompt, picture: HeldOut, text: str) -> Outgoing:
        request = make_request(
            model=self.recipe.model_of(prompt),
            system=prompt.system,
            text=text,
            schema=prompt.schema(),
            max_tokens=self.recipe.max_tokens_of(prompt),
            seed=self.recipe.seed,
            picture={"sha256": picture.sha256, "side": self.recipe.picture_side or SIDE},
        )
        return Outgoing(request.digest, request.canonical, picture.path)
