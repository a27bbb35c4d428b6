"""Which emotion an answer states."""

import re
from collections.abc import Sequence

MARK = re.compile(r"predicted\s+label\s*[:=]\s*([^\n]*)", re.IGNORECASE)


def stated_label(text: str, options: Sequence[str]) -> str | None:
    """Return the option that `text` states: behind its last "Predicted Label:", else the only one that it names.

    None where it states no option, or names several and marks none.
    """
    marked = MARK.findall(text)
    named = _named(marked[-1] if marked else text, options)
    return named[0] if named and (marked or len(named) == 1) else None


def _named(text: str, options: Sequence[str]) -> list[str]:
    """Return the options that a text names as whole words, in the order of their first places."""
    places = {option: re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE) for option in options}
    found = [(place.start(), -len(option), option) for option, place in places.items() if place is not None]
    return [option for _, _, option in sorted(found)]
