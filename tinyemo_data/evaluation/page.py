"""The report as a page for people: Markdown with the table, recall, baselines and the paper beside it."""

from collections.abc import Sequence

from tinyemo_data.evaluation.comparison import compare_with_paper
from tinyemo_data.evaluation.naming import METHOD_TITLES, method_title, percent, table
from tinyemo_data.evaluation.paper import title
from tinyemo_data.evaluation.report import ClassificationReport
from tinyemo_data.evaluation.row import Row

DRAWN = (
    "**These figures are of drawn pictures: they say that the machinery works, "
    "and nothing about photographs or about the paper's figures.**"
)


def render_page(report: ClassificationReport) -> str:
    """Return the page; equal reports give equal text."""
    rows = report.rows
    parts = [
        "# Classification",
        DRAWN if report.context["pictures"] == "drawn" else "",
        _context(report),
        "## Top-1",
        "Interval: percentile bootstrap over pictures, 95 %. ± after a mean: standard deviation over seeds. "
        "Macro-F1: over the labels that occur in truth or prediction. ECE: 15 bins.",
        _figures([row for row in rows if not row.twins_removed]),
        _section("## Without twins", _figures([row for row in rows if row.twins_removed])),
        _section("## Mean over datasets", _means(report)),
        _section("## The ensemble's lead in top-1", _leads(rows)),
        "## Recall a class",
        *[_recall(group) for group in _by_dataset(rows)],
        "## Beside the paper's Table VIII",
        compare_with_paper(rows, report.context["pictures"]),
        _section("## Notes", "\n".join(f"- {remark}" for remark in report.remarks)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _context(report: ClassificationReport) -> str:
    context = report.context
    spot = " (small, made on the spot)" if context["language_model_made_on_the_spot"] else ""
    lines = [
        f"- profile: {context['profile']}; pictures: {context['pictures']}",
        f"- encoder: {context['encoder']}; language model: {context['language_model']}{spot}",
        f"- datasets used: {', '.join(context['datasets_used']) or 'none'}",
        f"- datasets missing here: {', '.join(context['datasets_missing']) or 'none'}",
    ]
    return "\n".join(lines)


def _section(heading: str, body: str) -> str:
    return f"{heading}\n\n{body}" if body else ""


def _figures(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    header = [
        "dataset",
        "split",
        "method",
        "learnt from",
        "N",
        "top-1 %",
        "95 % interval",
        "macro-F1 %",
        "top-2 %",
        "ECE %",
    ]
    return table(header, [_figure(row) for row in rows], left=4)


def _figure(row: Row) -> list[str]:
    deviation = f" ± {percent(row.top1_sd)}" if row.top1_sd is not None else ""
    return [
        title(row.dataset),
        row.split,
        method_title(row),
        ", ".join(row.fitted_on) or "not said",
        str(row.n),
        f"{percent(row.top1)}{deviation}",
        f"{percent(row.ci95[0])}–{percent(row.ci95[1])}",
        percent(row.macro_f1),
        percent(row.top2),
        percent(row.ece),
    ]


def _means(report: ClassificationReport) -> str:
    if not report.mean:
        return ""
    lines = [
        [
            METHOD_TITLES.get(mean.method, mean.method) + (", without twins" if mean.twins_removed else ""),
            str(len(mean.datasets)),
            percent(mean.top1) + (f" ± {percent(mean.top1_sd)}" if mean.top1_sd is not None else ""),
            percent(mean.macro_f1),
        ]
        for mean in report.mean
    ]
    return "Unweighted.\n\n" + table(["method", "datasets", "top-1 %", "macro-F1 %"], lines, left=1)


def _leads(rows: Sequence[Row]) -> str:
    lines = [
        [
            title(row.dataset),
            "removed" if row.twins_removed else "kept",
            METHOD_TITLES.get(other, other),
            str(row.n),
            f"{100 * difference:+.1f}",
            f"{100 * low:+.1f} to {100 * high:+.1f}",
        ]
        for row in rows
        for other, (difference, low, high) in sorted(row.lead.items())
    ]
    if not lines:
        return ""
    header = ["dataset", "twins", "over", "N", "points", "paired 95 % interval"]
    return "An interval that holds 0 decides nothing.\n\n" + table(header, lines, left=3)


def _by_dataset(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the seedless rows with twins kept, a list a dataset."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.seed is None and not row.twins_removed:
            groups.setdefault(row.dataset, []).append(row)
    return list(groups.values())


def _recall(rows: Sequence[Row]) -> str:
    first = rows[0]
    header = ["label", "N", *(f"{method_title(row)} %" for row in rows)]
    lines = [
        [label, str(first.support[label]), *(percent(row.recall[label]) for row in rows)] for label in first.labels
    ]
    return f"{title(first.dataset)}, {first.split}\n\n" + table(header, lines, left=1)
