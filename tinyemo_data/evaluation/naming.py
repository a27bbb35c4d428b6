"""How methods, figures and tables are written for people, on the page and in the plot."""

from collections.abc import Iterable, Sequence

from tinyemo_data.evaluation.row import Row

METHOD_TITLES = {
    "projector": "projector",
    "projector_ensemble": "projector, ensemble",
    "majority": "majority",
    "nearest_class_mean": "nearest class mean",
    "logistic": "logistic regression",
}


def method_title(row: Row) -> str:
    """Return a method's name for people, with its seed or how many seeds it is of."""
    name = METHOD_TITLES.get(row.method, row.method)
    if row.seed is not None:
        return f"{name}, seed {row.seed}"
    if row.method == "projector":
        return f"{name}, mean of {row.seeds} seeds" if row.seeds != 1 else f"{name}, its one seed"
    return f"{name} of {row.seeds}" if row.seeds is not None else name


def percent(fraction: float | None) -> str:
    """Return a fraction as per cent with one decimal; – for None."""
    return "–" if fraction is None else f"{100 * fraction:.1f}"


def table(header: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    """Return a Markdown table whose first `left` columns are words and whose others are figures."""
    rules = ["---"] * left + ["---:"] * (len(header) - left)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rules, *lines])
