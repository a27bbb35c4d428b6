"""How values get into a prompt: as data, each on one line, by templates that can reach nothing else."""

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

ANGLES = str.maketrans("<>", "  ")


def plain(value: object) -> str:
    """Return a value as one line of plain text: no line breaks, control characters or angle brackets.

    What is put into a template is data. As one line without brackets it can neither close a fence nor look like a
    part of the prompt.
    """
    text = str(value)
    if text.isascii() and text.isprintable() and not ("<" in text or ">" in text or "  " in text):
        return text.strip()
    text = " ".join(text.translate(ANGLES).split())
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())


def _as_data(value: object) -> object:
    # Undefined must pass, so that printing it raises.
    return value if isinstance(value, jinja2.Undefined) else plain(value)


# Undefined names are errors; templates can't reach Python; a block tag on its own line leaves no line behind.
ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_as_data
)
