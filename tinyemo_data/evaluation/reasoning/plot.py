"""The ablation table at a glance: top-1 of each row with its interval, beside chance and the projector."""

from tinyemo_data import charts
from tinyemo_data.evaluation.reasoning.report import ReasoningReport
from tinyemo_data.evaluation.reasoning.row import Row

OURS, CONTROL, QUIET = charts.COLOURS[0], charts.COLOURS[3], "#767c86"


def render_plot(report: ReasoningReport) -> bytes:
    """Return a PNG; equal reports give equal bytes."""
    import matplotlib.style

    # The person's own matplotlibrc must not change a report.
    with matplotlib.style.context("default"), matplotlib.rc_context({"font.size": 8.5}):
        figure, axes = charts.new_figure(8, 1.3 + 0.36 * max(len(report.rows), 2))
        for line, row in enumerate(report.rows):
            _draw_row(axes, row, line)
        _draw_levels(axes, report)
        axes.set_yticks(range(len(report.rows)), [row.title for row in report.rows])
        axes.set_ylim(len(report.rows) - 0.4, -0.6)
        axes.set_xlim(0, 108)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("agreement with the label, %, and its 95 % interval; hollow: with the projector")
        axes.grid(axis="x", color="#e6e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
        drawn = " · drawn pictures" if report.context["pictures"] == "drawn" else ""
        axes.set_title(f"Emotion stated by the text · N = {report.context['n']}{drawn}", fontsize=10, loc="left")
        return charts.to_png(figure)


def _draw_row(axes: object, row: Row, line: int) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    is_control = row.shown == "shuffled" or row.model == "untrained"
    colour = CONTROL if is_control else OURS
    found = row.consistency.with_label
    axes.plot([100 * end for end in found.ci95], [line, line], color=colour, linewidth=1.8)
    axes.plot(100 * row.consistency.with_projector.top1, line, "o", color=colour, markerfacecolor="white", markersize=5)
    axes.plot(100 * found.top1, line, "o", color=colour, markersize=6.5)
    axes.text(101.5, line, f"{100 * found.top1:.1f}", va="center")


def _draw_levels(axes: object, report: ReasoningReport) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    for name, value, style in (
        ("answers that don't look", report.context["chance"], ":"),
        ("the projector", report.context["projector_top1"], "--"),
    ):
        axes.axvline(100 * value, color=QUIET, linewidth=1, linestyle=style, label=f"{name}: {100 * value:.1f}")
