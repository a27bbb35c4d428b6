"""The rows of `audit/tokens.parquet`: the nearest words of each picture, emotion and slice."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tinyemo_data.audit.interpretability.control import RandomWords
from tinyemo_data.audit.interpretability.groups import Groups, means
from tinyemo_data.audit.interpretability.nearest import DIGITS, Numbers, Rows, Scores, nearest_rows, rounded
from tinyemo_data.audit.interpretability.options import Options
from tinyemo_data.audit.interpretability.pictures import ProjectedPictures
from tinyemo_data.audit.interpretability.shuffling import largest_lifts, share_reached
from tinyemo_data.audit.interpretability.word_space import WordSpace

PICTURE = "picture"
BY_COSINE, BY_LIFT = "cosine", "lift"
PICTURES_AT_ONCE = 1024

SCHEMA = pl.Schema(
    {
        "kind": pl.String(),  # emotion, slice or picture
        "name": pl.String(),  # of the emotion or slice, or the sample_id
        "ranked_by": pl.String(),  # cosine: where they lie; lift: what sets them apart
        "rank": pl.Int32(),  # from 1
        "word": pl.String(),
        "token_id": pl.Int64(),
        "is_label": pl.Boolean(),  # of some taxonomy: the projector was taught where those lie
        "cosine": pl.Float64(),  # mean over pictures and seeds
        "lift": pl.Float64(),  # cosine less that of the stratum; null for pictures
        "p_control": pl.Float64(),  # share of random words that are as near (by what is ranked by)
        "p_shuffled": pl.Float64(),  # share of shuffles in which any word has this lift; null by cosine
        "share": pl.Float64(),  # of the group's pictures that have the word among their own
        "share_elsewhere": pl.Float64(),  # of all other pictures
        "pictures": pl.Int64(),
    }
)


def nearest_of_pictures(pictures: ProjectedPictures, space: WordSpace, count: int) -> tuple[Numbers, Scores]:
    """Return numbers and cosines (N, k) of the words nearest to each picture."""
    return nearest_rows(pictures.points, space.blocks(), count)


def picture_rows(
    pictures: ProjectedPictures, space: WordSpace, control: RandomWords, numbers: Numbers, cosines: Scores
) -> pl.DataFrame:
    """Return a row for each picture and word of `nearest_of_pictures`, in the order of the pictures."""
    width = numbers.shape[1]
    p = np.concatenate([*_shares_of_control(pictures.points, control, cosines), np.empty((0, width))])
    words, ids = np.array(space.words.words), np.array(space.words.token_ids)
    laid = pl.DataFrame(
        {
            "name": np.repeat(np.array(pictures.sample_ids), width),
            "rank": np.tile(np.arange(1, width + 1), len(pictures)),
            "word": words[numbers].reshape(-1),
            "token_id": ids[numbers].reshape(-1),
            "is_label": space.labels[numbers].reshape(-1),
            "cosine": cosines.reshape(-1),
            "p_control": p.reshape(-1),
        }
    ).with_columns(kind=pl.lit(PICTURE), ranked_by=pl.lit(BY_COSINE), pictures=pl.lit(1))
    return _cast(laid)


def group_rows(
    groups: Groups,
    pictures: ProjectedPictures,
    space: WordSpace,
    control: RandomWords,
    of_pictures: Numbers,
    options: Options,
) -> pl.DataFrame:
    """Return rows of the nearest words of each group, by cosine and by lift.

    `of_pictures` are the numbers (N, k) of each picture's own words, for the shares.
    """
    if not len(groups):
        return pl.DataFrame(schema=SCHEMA)
    centres, lifts = means(groups.members, pictures.points), groups.lifts()
    drawn = largest_lifts(groups, space, options.shuffles, options.seed)
    # Both at once: reading the vocabulary is what takes long.
    found_numbers, found_scores = nearest_rows(np.concatenate([centres, lifts]), space.blocks(), options.words)
    controls_of = control.scores(np.concatenate([centres, lifts]))
    rows = []
    for ranked_by, part in ((BY_COSINE, slice(0, len(groups))), (BY_LIFT, slice(len(groups), None))):
        numbers, scores, controls = found_numbers[part], found_scores[part], controls_of[part]
        for group, name in enumerate(groups.names):
            points = space.points(numbers[group])
            found = {
                "kind": [groups.kind] * numbers.shape[1],
                "name": [name] * numbers.shape[1],
                "ranked_by": [ranked_by] * numbers.shape[1],
                "rank": range(1, numbers.shape[1] + 1),
                "word": [space.words.words[number] for number in numbers[group]],
                "token_id": [space.words.token_ids[number] for number in numbers[group]],
                "is_label": space.labels[numbers[group]],
                "cosine": rounded(points @ centres[group]),
                "lift": rounded(points @ lifts[group]),
                "p_control": share_reached(controls[group], scores[group]),
                "p_shuffled": share_reached(drawn[group], scores[group]) if ranked_by == BY_LIFT else None,
                **_shares(groups.members[group], of_pictures, numbers[group]),
                "pictures": [int(groups.members[group].sum())] * numbers.shape[1],
            }
            rows.append(_cast(pl.DataFrame(found)))
    return pl.concat(rows)


def control_share(members: Any, of_pictures: Numbers, control: RandomWords) -> float:
    """Return in what share of the group's pictures a random word is among the picture's own, on average."""
    own = of_pictures[members]
    return float(np.isin(own, control.numbers).sum()) / max(len(own) * len(control.numbers), 1)


def _shares(members: Any, of_pictures: Numbers, words: Numbers) -> dict[str, list[float | None]]:
    has = [(of_pictures == word).any(axis=1) for word in words]
    elsewhere = [float(flags[~members].mean()) if (~members).any() else None for flags in has]
    return {"share": [float(flags[members].mean()) for flags in has], "share_elsewhere": elsewhere}


def _shares_of_control(points: Rows, control: RandomWords, cosines: Scores) -> Iterator[Scores]:
    """Give the share of random words that are as near as each picture's words, (n, k), some pictures at a time."""
    for start in range(0, len(points), PICTURES_AT_ONCE):
        part = slice(start, start + PICTURES_AT_ONCE)
        reached = (control.scores(points[part])[:, None, :] >= cosines[part, :, None]).sum(axis=2)
        yield (1 + reached) / (1 + len(control.numbers))


def _cast(rows: pl.DataFrame) -> pl.DataFrame:
    """Lay rows out as SCHEMA has them, rounded; columns that they lack are null."""
    missing = [pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in rows.columns]
    laid = rows.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    return laid.with_columns(pl.selectors.float().round(DIGITS))
