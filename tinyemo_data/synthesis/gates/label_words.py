"""Label words: how texts name the labels of taxonomies, read from `label_words.yaml`."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import yaml

FILE = Path(__file__).with_name("label_words.yaml")


@functools.cache
def label_of_words() -> Mapping[str, str]:
    """Return the label that each word names."""
    words = yaml.safe_load(FILE.read_text(encoding="utf-8"))["words"]
    return {word: label for label, inflections in words.items() for word in inflections}


@functools.cache
def innocent_phrases() -> str:
    """Return the pattern of phrases in which such a word names nothing felt."""
    phrases = yaml.safe_load(FILE.read_text(encoding="utf-8"))["innocent"]
    return rf"\b(?:{'|'.join(phrases)})\b"


@functools.cache
def label_pattern() -> str:
    """Return the pattern of all words that name a label."""
    return rf"\b(?:{'|'.join(re.escape(word) for word in sorted(label_of_words(), key=len, reverse=True))})\b"


def named_words(text: pl.Expr) -> pl.Expr:
    """Return the words of a plain text that name a label, in their order."""
    return text.str.replace_all(innocent_phrases(), " ").str.extract_all(label_pattern())


def count_naming(words: pl.Expr, label: pl.Expr) -> pl.Expr:
    """Return how many of a list of such words name a label."""
    labels = words.list.eval("<" + pl.element().replace_strict(dict(label_of_words()), return_dtype=pl.String) + ">")
    return labels.list.join("").str.count_matches("<" + label + ">", literal=True)
