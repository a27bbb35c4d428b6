"""The reasoning report as a page for people."""

from collections.abc import Sequence

from tinyemo_data.evaluation.naming import percent, table
from tinyemo_data.evaluation.page import DRAWN
from tinyemo_data.evaluation.reasoning.conditions import CONDITIONS, MODEL_TITLES
from tinyemo_data.evaluation.reasoning.consistency import AGREEMENTS
from tinyemo_data.evaluation.reasoning.contrasts import Contrast
from tinyemo_data.evaluation.reasoning.judge.page import render_judgement
from tinyemo_data.evaluation.reasoning.report import ReasoningReport
from tinyemo_data.evaluation.reasoning.row import Row
from tinyemo_data.evaluation.reasoning.similarity import METRICS, TITLES

ROW_TITLES = {condition.key: condition.title for condition in CONDITIONS}
METRIC_TITLES = {
    "top1": "top-1, points",
    "projector": "agrees with projector, points",
    "hallucinated": "hallucinated mentions, points",
    **TITLES,
}
SHARES = ("top1", "projector", "hallucinated")  # fractions, told in points of a hundred


def render_page(report: ReasoningReport) -> str:
    """Return the page; equal reports give equal text."""
    parts = [
        "# Reasoning",
        DRAWN if report.context["pictures"] == "drawn" else "",
        render_context(report),
        "## Ablation: the emotion that a text states",
        "Against the dataset's label and against the projector's prediction. Interval: percentile bootstrap over "
        "pictures, 95 %. A text that states no emotion, or several, is counted as wrong.",
        render_ablation(report.rows),
        "## Text, label and projector",
        "Pictures by who names the same emotion.",
        _three_way(report.rows),
        "## By dataset",
        "Top-1 against the dataset's label, %, with N.",
        _by_dataset(report.rows),
        "## Grounding",
        "Hallucinated mentions over mentions (CHAIR), of pictures with a list of objects. Annotators do not list all "
        "that is there: rows compare, and none is a truth by itself.",
        _grounding(report.rows),
        *_section("## Paired statements", _statements(report)),
        "## Likeness to reference texts",
        report.context["references"],
        _similarity(report.rows),
        "## Diversity",
        _variety(report.rows),
        "## Differences, picture by picture",
        "First row less second, with the paired 95 % interval. An interval that holds 0 decides nothing.",
        _contrasts(report.contrasts),
        *_section("## Judge", render_judgement(report.judge) if report.judge else ""),
        *_section("## Examples", _examples(report)),
        *_section("## Notes", "\n".join(f"- {note}" for note in report.notes)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_context(report: ReasoningReport) -> str:
    """Return what the figures are of, as a list."""
    context = report.context
    splits = "; ".join(
        f"{name} {', '.join(f'{split} {n}' for split, n in sorted(of_split.items()))}"
        for name, of_split in (report.rows[0].splits if report.rows else {}).items()
    )
    lines = [
        f"- profile: {context['profile']}; pictures: {context['pictures']}",
        f"- N = {context['n']}, seed {context['seed']}: {splits}",
        f"- left out as twins of what was learnt from: {context['twins_left_out']}",
        f"- learnt from the train splits of: {', '.join(context['learnt_from']) or 'not known'}",
        f"- MM-LLM: {context['parts'].get('vision_tower', '?')} + {context['parts'].get('language_model', '?')}",
        f"- on the same pictures: projector top-1 {percent(context['projector_top1'])} %; answers that don't look, but "
        f"always name the commonest label, {percent(context['chance'])} %",
    ]
    return "\n".join(lines)


def render_ablation(rows: Sequence[Row]) -> str:
    """Return the ablation table."""
    header = [
        "row", "N", "top-1 %", "95 % interval", "macro-F1 %", "95 % interval", "agrees with projector %",
        "95 % interval", "none stated", "several", "cut off",
    ]  # fmt: skip
    return table(header, [_ablation_line(row) for row in rows], left=1)


def _ablation_line(row: Row) -> list[str]:
    found, label = row.consistency, row.consistency.with_label
    return [
        row.title, str(row.n), percent(label.top1), _interval(label.ci95), percent(label.macro_f1),
        _interval(label.macro_f1_ci95), percent(found.with_projector.top1), _interval(found.with_projector.ci95),
        str(found.none_stated), str(found.several_stated), str(row.cut),
    ]  # fmt: skip


def _three_way(rows: Sequence[Row]) -> str:
    lines = [[row.title, str(row.n), *(str(row.consistency.three_way[one]) for one in AGREEMENTS)] for row in rows]
    return table(["row", "N", *AGREEMENTS], lines, left=1)


def _by_dataset(rows: Sequence[Row]) -> str:
    names = list(rows[0].consistency.by_dataset) if rows else []
    lines = []
    for row in rows:
        found = [row.consistency.by_dataset[name] for name in names]
        lines.append([row.title, *(f"{percent(one.top1)} ({_interval(one.ci95)})" for one in found)])
    counts = {name: rows[0].consistency.by_dataset[name].n for name in names} if rows else {}
    return table(["row", *(f"{name}, N {counts[name]}" for name in names)], lines, left=1)


def _grounding(rows: Sequence[Row]) -> str:
    header = ["row", "N", "mentions", "hallucinated", "%", "95 % interval", "texts with one %", "known and said %"]
    lines = [
        [
            row.title, str(one.n), str(one.mentions), str(one.hallucinated), percent(one.rate),
            _interval(one.ci95), percent(one.texts_with_hallucination), percent(one.covered),
        ]
        for row in rows
        for one in [row.grounding]
    ]  # fmt: skip
    return table(header, lines, left=1)


def _statements(report: ReasoningReport) -> str:
    if not report.statements:
        return ""
    header = ["model", "pairs", "both right %", "95 % interval", "says yes %", "95 % interval", "unclear %"]
    lines = [
        [
            MODEL_TITLES[model], str(one.n), percent(one.both_right), _interval(one.both_right_ci95),
            percent(one.yes_rate), _interval(one.yes_rate_ci95), percent(one.unclear),
        ]
        for model, one in report.statements.items()
    ]  # fmt: skip
    return (
        "A true and a false statement about each picture, made by the rules of its annotations; tossing a coin gets "
        "25 % of pairs right.\n\n" + table(header, lines, left=1)
    )


def _similarity(rows: Sequence[Row]) -> str:
    lines = [
        [row.title, *(cell for name in METRICS for cell in _mean_cells(row, name))] for row in rows if row.similarity
    ]
    return table(["row", *(cell for name in METRICS for cell in (TITLES[name], "95 %"))], lines, left=1)


def _mean_cells(row: Row, metric: str) -> list[str]:
    found = row.similarity[metric]
    return [_figure(found.mean), f"{_figure(found.ci95[0])}–{_figure(found.ci95[1])}"]


def _variety(rows: Sequence[Row]) -> str:
    header = ["row", "distinct-2", "self-BLEU", "words", "share of the commonest text %"]
    lines = [
        [row.title, f"{one.distinct_2:.3f}", f"{one.self_bleu:.3f}", f"{one.words:.1f}", percent(one.modal_share)]
        for row in rows
        for one in [row.variety]
    ]
    return table(header, lines, left=1)


def _contrasts(contrasts: Sequence[Contrast]) -> str:
    lines = []
    for one in contrasts:
        times, digits = (100, 1) if one.metric in SHARES else (1, 3)
        low, high = (f"{times * end:+.{digits}f}" for end in (one.low, one.high))
        lines.append(
            [
                ROW_TITLES.get(one.first, one.first), ROW_TITLES.get(one.second, one.second), METRIC_TITLES[one.metric],
                str(one.n), f"{times * one.difference:+.{digits}f}", f"{low} to {high}",
            ]
        )  # fmt: skip
    return table(["first", "second", "figure", "N", "difference", "paired 95 % interval"], lines, left=3)


def _examples(report: ReasoningReport) -> str:
    return "\n\n".join(
        f"`{one['sample_id']}`: label {one['emotion']}, projector {one['predicted']}\n\n> "
        + one["text"].replace("\n", "\n> ")
        for one in report.examples
    )


def _section(heading: str, body: str) -> list[str]:
    return [heading, body] if body else []


def _interval(ends: tuple[float, float] | None) -> str:
    return "–" if ends is None else f"{percent(ends[0])}–{percent(ends[1])}"


def _figure(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"
