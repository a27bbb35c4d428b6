"""Candidates that are there already: EmoSet's annotations, UnbiasedEmo's object, and how a picture looks as a whole.

Each value of an annotation becomes a yes-or-no attribute, such as `scene: forest`. Numbers become the lowest and the
highest quarter of the given pictures: give training and audited ones together, so that both are cut alike.
"""

import colorsys

import polars as pl

WORDS = {"scene": "scene", "facial_expression": "face", "human_action": "action"}
LEVELS = {"brightness": ("dark", "bright"), "colorfulness": ("pale", "colourful")}  # annotated in EmoSet
MEASURED = {"brightness": ("dark pixels", "bright pixels"), "colourfulness": ("pale pixels", "colourful pixels")}
BLACK, WHITE, GREY = 0.2, 0.85, 0.15  # value below, value above, saturation below
# Where each hue ends, in turns of the colour wheel; after the last it is red again.
HUES = {"red": 0.04, "orange": 0.11, "yellow": 0.19, "green": 0.44, "cyan": 0.53, "blue": 0.72, "purple": 0.83, "pink": 0.96}  # fmt: skip # noqa: E501


def annotated_attributes(
    samples: pl.DataFrame, statistics: pl.DataFrame | None = None, least: int = 30
) -> pl.DataFrame:
    """Return `sample_id` and one Boolean column (null: not annotated) for each attribute of `least` samples or more.

    `samples` are rows of the Sample table; `statistics` are those of `read_statistics` for any of them.
    """
    annotated = samples.select("sample_id", pl.col("object").alias("folder"), "attributes").unnest("attributes")
    lists = [(kind, _alone(annotated[column])) for column, kind in WORDS.items()]
    lists += [("object", annotated["object"]), ("folder", _alone(annotated["folder"]))]
    columns = [column for name, names in LEVELS.items() for column in _quarters(annotated[name], names)]
    if statistics is not None:
        measured = samples.select("sample_id").join(statistics, on="sample_id", how="left", maintain_order="left")
        columns += [column for name, names in MEASURED.items() for column in _quarters(measured[name], names)]
        lists.append(("colour", _main_colours(measured["dominant_colours"])))
    columns += [column for kind, values in lists for column in _one_a_value(kind, values, least)]
    enough = [column for column in columns if int(column.sum() or 0) >= least]
    return samples.select("sample_id", *sorted(enough, key=lambda column: column.name))


def colour_name(colour: str) -> str:
    """Return the plain name of a `#rrggbb` colour: black, white, grey or one of eight hues."""
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    if value < BLACK:
        return "black"
    if saturation < GREY:
        return "white" if value > WHITE else "grey"
    return next((name for name, end in HUES.items() if hue < end), "red")


def _alone(words: pl.Series) -> pl.Series:
    """Return each word as a list of one; null stays null."""
    return pl.DataFrame({"word": words}).select(
        pl.when(pl.col("word").is_not_null()).then(pl.concat_list("word"))
    ).to_series()  # fmt: skip


def _main_colours(dominant: pl.Series) -> pl.Series:
    """Return the name of each picture's most frequent colour, as a list of one."""
    first = dominant.list.first().struct.field("colour")
    return _alone(first.map_elements(colour_name, return_dtype=pl.String))


def _one_a_value(kind: str, values: pl.Series, least: int) -> list[pl.Series]:
    """Return a column for each value that `least` lists have; it is null where there is no list."""
    counts = values.list.unique().explode().drop_nulls().value_counts()
    frequent: list[str] = counts.filter(counts["count"] >= least)[values.name].sort().to_list() if len(counts) else []
    return [values.list.contains(value).alias(f"{kind}: {value}") for value in frequent]


def _quarters(values: pl.Series, names: tuple[str, str]) -> list[pl.Series]:
    """Return columns of the lowest and the highest quarter; none where no value is known."""
    low, high = values.quantile(0.25, "nearest"), values.quantile(0.75, "nearest")
    if low is None or high is None:
        return []
    ends = ((values <= low, values < low), (values >= high, values > high))
    return [_nearest_to_a_quarter(*sides).alias(name) for sides, name in zip(ends, names, strict=True)]


def _nearest_to_a_quarter(with_ties: pl.Series, without: pl.Series) -> pl.Series:
    """Levels in tenths tie at the quartile: take the tie in where that comes nearer to a quarter."""
    known = len(with_ties) - with_ties.null_count()
    return min(with_ties, without, key=lambda column: abs(4 * int(column.sum() or 0) - known))
