"""One line a group: its words, random words beside them, and where its own word lies."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tinyemo_data.audit.interpretability.control import RandomWords, describe
from tinyemo_data.audit.interpretability.groups import EMOTION, Groups, means
from tinyemo_data.audit.interpretability.nearest import DIGITS, Numbers, count_above, rounded
from tinyemo_data.audit.interpretability.pictures import ProjectedPictures
from tinyemo_data.audit.interpretability.shuffling import share_reached
from tinyemo_data.audit.interpretability.token_rows import BY_COSINE, BY_LIFT, control_share
from tinyemo_data.audit.interpretability.word_space import WordSpace
from tinyemo_data.projector.prototypes import Prototypes

ENOUGH = 10  # pictures: of fewer nothing is asked
LEVEL = 0.05


@dataclass(frozen=True)
class OwnWord:
    """Where the emotion's own word lies among the vocabulary, from the emotion's pictures."""

    cosine: float  # mean over its pictures
    rank: int  # 1: no whole word is nearer
    p_control: float  # share of random words that are as near
    lift: float
    lift_rank: int
    lift_p_control: float


@dataclass(frozen=True)
class GroupSummary:
    """A group's words, against random words."""

    kind: str
    name: str
    pictures: int
    words_by_cosine: list[str]
    words_by_lift: list[str]
    cosine: float  # mean of the words nearest by cosine
    lift: float  # mean of the words with the largest lift
    p_shuffled: float  # of the first word by lift
    control_cosine: dict[str, float]  # mean, percentile_95 and highest of random words
    control_lift: dict[str, float]
    share: float  # of its pictures that have a word by cosine among their own, mean over the words
    control_share: float  # the same of random words
    own_word: OwnWord | None  # of emotions

    @property
    def beats_control(self) -> bool:
        """Tell whether its words are nearer than 95 % of random words, and set apart more than by lot."""
        nearer = self.cosine > self.control_cosine["percentile_95"] and self.lift > self.control_lift["percentile_95"]
        return nearer and self.p_shuffled <= LEVEL

    @property
    def own_word_is_near(self) -> bool:
        """Tell whether the emotion's own word is nearer than 95 % of random words."""
        return self.own_word is not None and self.own_word.p_control <= LEVEL


def summarise(
    groups: Groups,
    rows: pl.DataFrame,
    pictures: ProjectedPictures,
    space: WordSpace,
    control: RandomWords,
    of_pictures: Numbers,
    used: Prototypes,
) -> list[GroupSummary]:
    """Return a summary a group, of the rows that `group_rows` gave; `used` are the prototypes that pictures go to."""
    if not len(groups):
        return []
    near, apart = (control.scores(q) for q in (means(groups.members, pictures.points), groups.lifts()))
    own = _own_words(groups, pictures, space, control, used) if groups.kind == EMOTION else [None] * len(groups)
    found = []
    for number, name in enumerate(groups.names):
        of_group = rows.filter(pl.col("name") == name)
        by_cosine, by_lift = (of_group.filter(pl.col("ranked_by") == by) for by in (BY_COSINE, BY_LIFT))
        found.append(
            GroupSummary(
                groups.kind,
                name,
                int(groups.members[number].sum()),
                by_cosine["word"].to_list(),
                by_lift["word"].to_list(),
                _mean(by_cosine["cosine"]),
                _mean(by_lift["lift"]),
                float(by_lift["p_shuffled"][0]),
                _rounded(describe(near[number])),
                _rounded(describe(apart[number])),
                _mean(by_cosine["share"]),
                round(control_share(groups.members[number], of_pictures, control), DIGITS),
                own[number],
            )
        )
    return found


def _own_words(
    groups: Groups, pictures: ProjectedPictures, space: WordSpace, control: RandomWords, used: Prototypes
) -> list[OwnWord | None]:
    points = used.for_labels(groups.names).double()
    unit = (points / points.norm(dim=1, keepdim=True)).float().numpy()
    queries = np.concatenate([means(groups.members, pictures.points), groups.lifts()])
    scores = rounded(np.einsum("gh,gh->g", queries, np.concatenate([unit, unit])))
    ranks = 1 + count_above(queries, space.blocks(), scores)
    controls = control.scores(queries)
    p = [float(share_reached(controls[row], scores[row : row + 1])[0]) for row in range(len(queries))]
    figures = list(zip(scores.tolist(), ranks.tolist(), np.round(p, DIGITS).tolist(), strict=True))
    return [OwnWord(*near, *apart) for near, apart in zip(figures[: len(groups)], figures[len(groups) :], strict=True)]


def _mean(column: pl.Series) -> float:
    return round(float(np.mean(column.to_numpy())), DIGITS)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in figures.items()}
