"""Words of the captions in an instruct set: candidates that nobody annotated."""

import re

import polars as pl

from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import iterate_records

WORD = re.compile(r"[a-z]{3,}")
HUMAN = "human"


def words_of_captions(store: Store, name: str) -> dict[str, frozenset[str]]:
    """Return the words, in lower case and without stop words, of each picture's captions in the set `name`.

    Captions are the answers of tasks whose name ends with `caption`. Raises StoreError where there is no such set.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # here: its import takes a second

    found: dict[str, set[str]] = {}
    for part in iterate_records(store, name):
        captions = part.filter(pl.col("task").str.ends_with("caption")).select("sample_id", "conversations")
        for sample_id, turns in captions.iter_rows():
            told = " ".join(turn["value"] for turn in turns if turn["from"] != HUMAN)
            found.setdefault(sample_id, set()).update(set(WORD.findall(told.lower())) - ENGLISH_STOP_WORDS)
    return {sample_id: frozenset(words) for sample_id, words in found.items()}
