"""This run beside the paper's Table VIII, with what each model had seen of the dataset it is measured on."""

from collections.abc import Sequence

from tinyemo_data.evaluation.naming import percent, table
from tinyemo_data.evaluation.paper import PaperTable, Seen, paper_table, seen
from tinyemo_data.evaluation.row import Row

MARKS: dict[Seen, str] = {"own train split": "\\*", "same pictures": "†", "zero-shot": "", "not known": "?"}


def compare_with_paper(rows: Sequence[Row], pictures: str) -> str:
    """Return the Markdown table, this run first, and its legend; `pictures` is drawn or real."""
    paper = paper_table()
    ours = {r.dataset: r for r in rows if r.method == "projector_ensemble" and not r.twins_removed}
    name = "**this run's ensemble**" + (" (drawn pictures)" if pictures == "drawn" else "")
    lines = [[name, *(_our_cell(ours.get(dataset)) for dataset in paper.datasets)]]
    for model in paper.models:
        cells = [f"{model.top1[d]:.2f}{MARKS[seen(d, model.trained_on)]}" for d in paper.datasets]
        lines.append([model.name, *cells])
    header = ["top-1 %", *(f"{title} {paper.labels[dataset]}" for dataset, title in paper.datasets.items())]
    return f"{table(header, lines, left=1)}\n\n{_legend(paper)}"


def _our_cell(row: Row | None) -> str:
    return "–" if row is None else f"{percent(row.top1)}{MARKS[row.seen]} ({row.split}, N {row.n})"


def _legend(paper: PaperTable) -> str:
    return (
        "\\* had learnt from this dataset's own train split. † had learnt from the same pictures under "
        "another name: Emotion6 and EmotionROI are the same 1,980 pictures under two splits, so the figures "
        "on Emotion6 that the paper calls zero-shot show pictures that it trained on. No mark: zero-shot; "
        "?: imported weights, whose train data nobody told; "
        "–: not evaluated here. Splits differ, and the paper's figures come without a seed or an interval: "
        f"a difference of a few points means nothing. Source: {paper.source}, {paper.url}"
    )
