"""What `evaluation/classification` measured of the very model that is staged."""

from dataclasses import dataclass
from typing import Any

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.naming import method_title, percent
from tinyemo_data.evaluation.paper import title
from tinyemo_data.evaluation.report import JSON_KEY, ClassificationReport, Mean, read_report
from tinyemo_data.evaluation.row import Row
from tinyemo_data.store import Store

OWN_METHODS = ("projector", "projector_ensemble")
HEADER = ["dataset", "split", "method", "seen in training", "twins", "N", "top-1", "95 %", "macro-F1"]


@dataclass(frozen=True)
class Evaluated:
    """The table's rows. `why_not` says why there are none."""

    rows: list[Row]
    means: list[Mean]
    notes: list[str]
    why_not: str | None = None

    def table(self) -> list[list[str]]:
        """Return the rows that cards show, under HEADER: means over seeds and methods without seeds."""
        return [_line(row) for row in self.rows if row.seed is None]

    def mean_table(self) -> list[list[str]]:
        """Return the means over datasets: method, twins, datasets, top-1, macro-F1."""
        return [
            [one.method, "removed" if one.twins_removed else "kept", str(len(one.datasets)), percent(one.top1),
             percent(one.macro_f1)] for one in self.means
        ]  # fmt: skip

    def results(self) -> list[dict[str, Any]]:
        """Return the ensemble's figures, twins removed where there are some, as a card's `model-index` has them."""
        own = [row for row in self.rows if row.method == OWN_METHODS[1] or (row.method, row.seeds) == ("projector", 1)]
        twinned = {row.dataset for row in own if row.twins_removed}
        kept = [row for row in own if row.twins_removed == (row.dataset in twinned)]
        return [
            {
                "task": {"type": "image-classification"},
                "dataset": {"name": title(row.dataset), "type": row.dataset, "split": row.split},
                "metrics": [
                    {"type": "accuracy", "value": row.top1, "name": "top-1" + (", without twins" * row.twins_removed)},
                    {"type": "f1", "value": row.macro_f1, "name": "macro-F1"},
                ],
            }
            for row in kept
        ]


def read_evaluation(store: Store, digest: str) -> Evaluated:
    """Return what was measured of the model with a digest; of another model's figures none are taken."""
    try:
        report: ClassificationReport = read_report(store)
    except StoreError:
        return Evaluated([], [], [], "`evaluation/classification` was not materialized.")
    if digest not in {row.model_digest for row in report.rows if row.method in OWN_METHODS}:
        return Evaluated([], [], [], f"{JSON_KEY} is of another model. Materialize evaluation/classification again.")
    return Evaluated(report.rows, report.mean, report.remarks)


def _line(row: Row) -> list[str]:
    deviation = f" ± {percent(row.top1_sd)}" if row.top1_sd is not None else ""
    return [
        title(row.dataset), row.split, method_title(row), row.seen, "removed" if row.twins_removed else "kept",
        f"{row.n:,}", percent(row.top1) + deviation, f"{percent(row.ci95[0])} to {percent(row.ci95[1])}",
        percent(row.macro_f1),
    ]  # fmt: skip
