"""The reasoning evaluation over a store: models asked about held-out pictures, into report and exports."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from tinyemo_data.evaluation.reasoning.exports.lmms_eval import export_lmms_eval
from tinyemo_data.evaluation.reasoning.exports.questions import exported_sets
from tinyemo_data.evaluation.reasoning.exports.vlmevalkit import export_vlmevalkit
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.inputs import gather
from tinyemo_data.evaluation.reasoning.judge.judging import check_judge, judge_texts
from tinyemo_data.evaluation.reasoning.measuring import measure
from tinyemo_data.evaluation.reasoning.models import Reports, ask_models
from tinyemo_data.evaluation.reasoning.page import render_ablation, render_context
from tinyemo_data.evaluation.reasoning.report import PLOT_KEY, ReasoningReport, tabulate, write_report
from tinyemo_data.evaluation.reasoning.statements import Pair, draw_pairs
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Evaluated:
    """The report, as it was written, its table and picture, and what was exported."""

    report: ReasoningReport
    table: str  # Markdown: what the figures are of, and the ablation
    picture: bytes  # PNG
    exports: list[str]  # store keys

    @property
    def headline(self) -> dict[str, float]:
        """Return top-1 of each row, and the share of statement pairs that each model gets right."""
        rows = {f"top1/{row.key}": row.consistency.with_label.top1 for row in self.report.rows}
        return rows | {f"pairs_right/{model}": one.both_right for model, one in self.report.statements.items()}


def materialize_reasoning(
    store: Store,
    settings: Settings,
    encoder: str,
    reports: Reports = lambda _unit: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Evaluated:
    """Ask the models of the store about held-out pictures; write `reports/reasoning*` and `exports/`.

    `encoder` is the slug of the projector's features. Raises SettingsError for a judge without a budget, StoreError
    where models or datasets are absent, MMLLMError for a damaged model or picture, and what the judge's backend stops
    for: then its replies are kept, and the rest costs nothing to ask again.
    """
    check_judge(settings)
    inputs = gather(store, settings, encoder)
    pictures = inputs.drawn.pictures
    pairs = draw_pairs(pictures, settings.evaluation.seed)
    said = ask_models(store, settings, pictures, pairs, reports)
    report = measure(settings, inputs, said)
    if settings.evaluation.reasoning.judge is not None:
        judged = judge_texts(store, settings, pictures, said.answers, reports("judge's verdicts"), say)
        report = replace(report, judge=asdict(judged))
    exports = export_questions(store, pictures, pairs)
    write_report(store, report, tabulate(pictures, said.answers))
    table = f"{render_context(report)}\n\n{render_ablation(report.rows)}"
    return Evaluated(report, table, store.read_bytes(PLOT_KEY), exports)


def export_questions(store: Store, pictures: Sequence[HeldOut], pairs: Sequence[Pair]) -> list[str]:
    """Write the questions for other toolkits; return the store keys."""
    return [
        key
        for name, questions in exported_sets(pictures, pairs).items()
        for export in (export_lmms_eval, export_vlmevalkit)
        for key in export(store, name, questions)
    ]
