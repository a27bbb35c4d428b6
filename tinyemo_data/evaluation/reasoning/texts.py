"""The parts of an answer: what it argues, apart from its heading and from the label that it states at the end."""

import re

from tinyemo_data.mm_llm.stated_label import MARK

HEADING = re.compile(r"^\s*reasoning\s*:\s*", re.IGNORECASE)


def argument_of(text: str) -> str:
    """Return an answer without its heading and without what begins at its first "Predicted Label:"."""
    marked = MARK.search(text)
    return HEADING.sub("", text[: marked.start()] if marked else text).strip()
