"""The rules: deterministic sentences of what is known of a picture, offline and free.

`answer` takes a request's body and returns a raw reply. Everything that it may say lies in the YAML files: how things
are named (`nouns`, `places`, `things`, `people`, `colours`, `measures`), what they may contribute to an emotion
(`emotions`), and how sentences go (`wording/`).
"""

from tinyemo_data.synthesis.backends.rules.answering import VERSION, answer, fingerprint

__all__ = ["VERSION", "answer", "fingerprint"]
