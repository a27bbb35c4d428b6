"""Interpretability: which words of the language model lie near projected pictures, a map of them, and retrieval."""
