"""Markdown tables of the audit's pages."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1) -> str:
    """Return a table whose first `words` columns are words and whose others are figures."""
    rules = ["---"] * words + ["---:"] * (len(header) - words)
    lines = [list(header), rules, *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}"
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
