"""Pairs: what belongs together must differ where it should, and agree where it should."""

import polars as pl

from tinyemo_data.synthesis.gates.gate import Findings, say_if
from tinyemo_data.synthesis.gates.limits import Limits

CONTENT_WORD = r"\p{L}{4,}"


def find_equal_pair(_limits: Limits) -> Findings:
    """A rejected answer that is the chosen one, or a true statement that is the false one as well."""
    same_question = (pl.len() - pl.col("human").n_unique()).over("draft_id")
    same_answer = pl.col("rejected").str.strip_chars().str.to_lowercase() == pl.col("gpt").str.strip_chars()
    return {
        "rejected_is_chosen": say_if(same_answer, "both answers are the same"),
        "statements_are_equal": say_if(same_question > 0, "the true and the false statement are the same"),
    }


def find_unnamed_detail(_limits: Limits) -> Findings:
    """An answer with less than half of the words of the detail that it should be about."""
    detail = pl.col("named_detail").str.to_lowercase()
    wanted = detail.str.extract_all(CONTENT_WORD).list.unique()
    answer = pl.when(detail.is_not_null()).then(pl.col("gpt"))
    said = wanted.list.set_intersection(answer.str.extract_all(CONTENT_WORD))
    return {
        "detail_not_named": say_if(
            said.list.len() * 2 < wanted.list.len(),
            "{} of {} words of '{}'", said.list.len(), wanted.list.len(), detail.str.head(80),
        )
    }  # fmt: skip
