"""The columns that gates look at: a record's turns as texts, and what is known of its picture.

Patterns in gates are written for plain text: lower case, straight quotes. Turns are told apart by position, as the
trainer does.
"""

import polars as pl

from tinyemo_data.synthesis.gates.label_words import named_words

IMAGE = "<image>"
STRAIGHT = {"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "—": " ", "–": " ", "…": " "}
# What tasks add to the model's own words.
ADDED = r"(?m:^reasoning: |^true or false: |^predicted label:.*$)"
TURNS = pl.List(pl.Struct({"from": pl.String(), "value": pl.String()}))
FALSE = "false."
KNOWN = pl.Struct(
    {
        "brightness": pl.Float64(),
        "colourfulness": pl.Float64(),
        "scene": pl.String(),
        "objects": pl.List(pl.String()),
        "facial_expression": pl.String(),
        "human_action": pl.String(),
    }
)


def with_texts(candidates: pl.DataFrame) -> pl.DataFrame:
    """Add to candidates (`candidates.py`) what gates look at.

    As they are: `roles`, the senders, joined by commas; `values`, the turns' texts; `everything`, all texts one a line,
    the rejected answer last. As plain text: `human`, `gpt` and `worse`, either side and the rejected answer, without
    the picture's token; `prose`, what the model wrote, the question too where none
    was drafted, without the headings that tasks add; `said`, the same with the rejected answer; `claimed`, what of the
    prose is meant to be true. `named_in_questions` and `named_in_answers`: the words of either side that name a label.
    `facts`: struct KNOWN, what is known of the picture.
    """
    turns = candidates.with_columns(
        roles=pl.col("conversations").list.eval(pl.element().struct.field("from")).list.join(","),
        values=pl.col("conversations").list.eval(pl.element().struct.field("value")),
        facts=pl.col("known").str.json_decode(KNOWN),
    )
    sides = turns.with_columns(
        human=plainly(pl.col("values").list.gather_every(2).list.join("\n").str.replace(IMAGE, "", literal=True)),
        gpt=plainly(pl.col("values").list.gather_every(2, 1).list.join("\n")),
        worse=plainly(pl.col("rejected")),
    )
    written = pl.when(pl.col("question").is_null()).then(pl.col("human"))
    # What is said to be true: a false statement is not.
    true = pl.when(~pl.col("gpt").str.starts_with(FALSE)).then(written)
    prose = pl.concat_str(written, "gpt", separator="\n", ignore_nulls=True).str.replace_all(ADDED, "")
    return sides.with_columns(
        named_in_questions=named_words(pl.col("human")),
        named_in_answers=named_words(pl.col("gpt")),
        prose=prose,
        said=pl.concat_str(prose, "worse", separator="\n", ignore_nulls=True),
        claimed=pl.concat_str(true, "gpt", separator="\n", ignore_nulls=True),
        everything=pl.concat_str(pl.col("values").list.join("\n"), "rejected", separator="\n", ignore_nulls=True),
    )


def plainly(text: pl.Expr) -> pl.Expr:
    """Return a text in lower case with straight quotes."""
    return text.str.to_lowercase().str.replace_many(STRAIGHT)
