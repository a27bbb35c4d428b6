"""Keys never leave this process but in the header that they belong in: what a service says is searched for them."""

import os

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "HF_TOKEN")
SHORTEST = 8  # characters: a shorter value would be found in ordinary words


def redacted(text: str) -> str:
    """Return `text` with the values of this environment's keys replaced by their names."""
    for name in KEYS:
        value = os.environ.get(name, "")
        if len(value) >= SHORTEST:
            text = text.replace(value, f"<{name}>")
    return text
