"""Keys never leave this process but in the header that they belong in: what a service says is searched for them."""

import os

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "HF_TOKEN")
SHORTEST = 8  # characters: a shorter value would be found in ordinary words


def redacted(text: str) -> str:
    """Return `text` with the values of this environment's keys replaced by their names."""
    for name in KEYS:
        value = os.environ.get(name, "")
        # With what surrounds it, without, and as a message that quotes it has it.
        for shown in (value, repr(value)[1:-1], value.strip()):
            if len(shown) >= SHORTEST:
                text = text.replace(shown, f"<{name}>")
    return text


def without_credentials(url: str) -> str:
    """Return a URL for people, without the user and password that may stand in it."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def key_of(name: str) -> str | None:
    """Return a key of the environment, without blanks around it (mounted secrets end in a line break); None without."""
    return os.environ.get(name, "").strip() or None
