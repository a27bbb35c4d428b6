"""Cards: Markdown that says what a repository holds, rendered from what was measured.

The templates hold what is true of every release; every figure, name and list comes from the facts.
"""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **facts: Any) -> str:
    """Return a template filled with facts; equal facts give equal text. A fact that is missing is an error."""
    text = _environment().get_template(template).render(facts)
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return "\n".join(kept).strip() + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1) -> str:
    """Return a Markdown table whose first `words` columns are words and whose others are figures; no rows: nothing."""
    body = [[_cell(value) for value in row] for row in rows]
    if not body:
        return ""
    rules = ["---"] * words + ["---:"] * (len(header) - words)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [list(header), rules, *body])


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else plain(str(value)).replace("|", "\\|").replace("\n", " ")


def plain(text: str) -> str:
    """Return text in which no tag is taken for HTML; within code nothing is."""
    return text if "`" in text else text.replace("<", "&lt;")


def percent(fraction: float | None) -> str:
    """Return a fraction as per cent with one decimal; – for None."""
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def listed(names: Iterable[object], none: str = "none") -> str:
    """Return names with commas between them."""
    return ", ".join(map(str, names)) or none


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.globals["table"] = markdown_table
    environment.filters |= {"percent": percent, "listed": listed, "plain": plain, "number": lambda value: f"{value:,}"}
    return environment
