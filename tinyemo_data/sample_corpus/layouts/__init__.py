"""One module a dataset: each lays drawn pictures out exactly as its dataset is distributed."""

from tinyemo_data.sample_corpus.layouts.corpus import CorpusReport, draw_corpus

__all__ = ["CorpusReport", "draw_corpus"]
