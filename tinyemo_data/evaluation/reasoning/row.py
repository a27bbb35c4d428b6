"""One row of the ablation table: one condition, measured on all drawn pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyemo_data.evaluation.bootstrap import Floats
from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.conditions import Condition, Model, Shown, Told
from tinyemo_data.evaluation.reasoning.consistency import Consistency, hits, measure_consistency, projector_hits
from tinyemo_data.evaluation.reasoning.grounding import Grounding, Mentions, count_mentions, measure_grounding
from tinyemo_data.evaluation.reasoning.held_out import HeldOut, describe_splits
from tinyemo_data.evaluation.reasoning.mentions import Vocabulary
from tinyemo_data.evaluation.reasoning.similarity import Scorer, Similarity, measure_similarity
from tinyemo_data.evaluation.reasoning.texts import argument_of
from tinyemo_data.evaluation.reasoning.variety import Variety, measure_variety


@dataclass(frozen=True)
class Row:
    """The figures of one condition: fractions 0–1 but where a metric says otherwise, rounded to six decimals."""

    key: str
    title: str
    model: Model
    told: Told
    shown: Shown
    n: int
    seed: int  # of the draw and of the intervals; answers are greedy and have none
    splits: dict[str, dict[str, int]]  # dataset -> split -> pictures
    cut: int  # answers that had not ended at the limit
    consistency: Consistency
    grounding: Grounding
    similarity: dict[str, Similarity]  # empty: no picture has references
    variety: Variety


@dataclass(frozen=True)
class Scored:
    """What is known of each picture under one condition: what contrasts are made of, (N,) each."""

    hits: Floats
    projector_hits: Floats
    similarity: dict[str, Floats]  # (M,) of the pictures with references
    mentions: Mentions


class Meter:
    """Measures conditions on the same pictures, references and vocabulary."""

    def __init__(
        self,
        pictures: Sequence[HeldOut],
        references: Sequence[Sequence[str]],
        vocabulary: Vocabulary,
        listing: set[str],
        resamples: int,
        seed: int,
    ) -> None:
        """`references` are those of each picture, perhaps none; `listing` names the datasets that list objects."""
        self.pictures, self.seed = pictures, seed
        self._vocabulary, self._listing, self._resamples = vocabulary, listing, resamples
        self._referenced = [row for row, theirs in enumerate(references) if theirs]
        self._scorer = Scorer([references[row] for row in self._referenced]) if self._referenced else None

    def measure(self, condition: Condition, answers: Sequence[Answered]) -> tuple[Row, Scored]:
        """Return the row of a condition, and its scores a picture."""
        arguments = [argument_of(one.text) for one in answers]
        scores = self._scorer.scores([arguments[row] for row in self._referenced]) if self._scorer else {}
        mentions = count_mentions(self.pictures, answers, self._vocabulary, self._listing)
        row = Row(
            key=condition.key,
            title=condition.title,
            model=condition.model,
            told=condition.told,
            shown=condition.shown,
            n=len(answers),
            seed=self.seed,
            splits=describe_splits(self.pictures),
            cut=sum(one.is_cut for one in answers),
            consistency=measure_consistency(self.pictures, answers, self._resamples, self.seed),
            grounding=measure_grounding(mentions, self.pictures, self._resamples, self.seed),
            similarity=measure_similarity(scores, self._resamples, self.seed),
            variety=measure_variety(arguments),
        )
        right = hits(self.pictures, answers)
        return row, Scored(right, projector_hits(self.pictures, answers), scores, mentions)
