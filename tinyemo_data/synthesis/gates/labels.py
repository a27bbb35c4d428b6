"""Labels: a record must state the label that it is about, and must not give it away where it is asked for.

The original's questions told the answer: every reasoning prompt stated its label, and a question about the sentiment
could name it, so that a model learnt to copy.
"""

import polars as pl

from tinyemo_data.synthesis.gates.columns import plainly
from tinyemo_data.synthesis.gates.gate import SHOWN, Findings, say_if
from tinyemo_data.synthesis.gates.label_words import count_naming, named_words
from tinyemo_data.synthesis.gates.limits import Limits

# Prompts that are never told the label: nothing in their records may name one, whichever.
BLIND = ("pretrain/caption", "pretrain/vqa")
# Prompts whose questions must not name the label; the later questions of a dialogue may take it up.
ASKING = ("pretrain/sqa", "preferences/pair")
TALKING = ("dialogue/emotion",)
# Prompts whose answer names the label in its prose.
ANSWERING = ("pretrain/sqa", "preferences/pair", "dialogue/emotion")
WITHHELD = "withheld"


def find_wrong_label(_limits: Limits) -> Findings:
    """A stated label that is not the record's or was not offered, or an answer that never names what it is about."""
    emotion, options = pl.col("emotion"), pl.col("options")
    stated = pl.col("stated").str.strip_chars().str.to_lowercase()
    is_answering = pl.col("prompt").is_in(ANSWERING)
    return {
        "label_contradicted": say_if(stated != emotion, "says '{}' of '{}'", stated.str.head(SHOWN), emotion),
        "label_not_offered": say_if(
            (options.list.len() > 0) & ~options.list.contains(emotion),
            "'{}' is none of {} options", emotion, options.list.len(),
        ),
        "label_not_named": say_if(
            is_answering & (count_naming(pl.col("named_in_answers"), emotion) == 0), "no answer names '{}'", emotion
        ),
    }  # fmt: skip


def find_leaked_label(_limits: Limits) -> Findings:
    """A label, or a clear inflection of it, where the record must not name it."""
    prompt, emotion = pl.col("prompt"), pl.col("emotion")
    asked = pl.col("named_in_questions")
    seen = pl.concat_list(asked, "named_in_answers")
    first = named_words(plainly(pl.when(prompt.is_in(TALKING)).then(pl.col("values").list.first())))
    told, told_at_once = count_naming(asked, emotion), count_naming(first, emotion)
    # The list of options names each label once, as it is spelt.
    allowed = pl.col("options").list.contains(emotion).cast(pl.UInt32)
    return {
        "label_named": say_if(prompt.is_in(BLIND) & (seen.list.len() > 0), "says '{}'", seen.list.first()),
        "label_in_question": say_if(
            (prompt.is_in(ASKING) & (told > 0)) | (prompt.is_in(TALKING) & (told_at_once > 0)),
            "the question names '{}'", emotion,
        ),
        "label_not_withheld": say_if(
            (pl.col("variant") == WITHHELD) & (told > allowed),
            "the question names '{}' outside of its options", emotion,
        ),
    }  # fmt: skip
