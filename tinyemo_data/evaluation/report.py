"""The classification report, `reports/classification.{json,md,png}`: for programs and people."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean, stdev
from typing import Any, Literal, TypedDict

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.findings import find_remarks
from tinyemo_data.evaluation.row import Row
from tinyemo_data.store import Store

JSON_KEY = "reports/classification.json"
MARKDOWN_KEY = "reports/classification.md"
PLOT_KEY = "reports/classification.png"

DECIMALS = 6


class Context(TypedDict):
    """What the figures are of, so that nobody has to guess it from a file's place."""

    profile: str
    pictures: Literal["drawn", "real"]
    encoder: str
    language_model: str
    language_model_made_on_the_spot: bool
    datasets_used: list[str]
    datasets_missing: list[str]


@dataclass(frozen=True)
class Mean:
    """The unweighted mean over datasets of one method, fractions 0–1."""

    method: str
    twins_removed: bool  # where it is true, each dataset counts with its rows without twins, if it has any
    datasets: list[str]
    top1: float
    top1_sd: float | None  # over the seeds' means, where the method is the mean over seeds
    macro_f1: float


@dataclass(frozen=True)
class ClassificationReport:
    """The rows of all datasets, notes for people, and what the figures are of."""

    rows: list[Row]
    notes: list[str]
    context: Context

    @property
    def remarks(self) -> list[str]:
        """Return the notes, then what the rows themselves give reason to say, each once."""
        return list(dict.fromkeys([*self.notes, *find_remarks(self.rows)]))

    @property
    def mean(self) -> list[Mean]:
        """Return the mean over datasets of the methods that all have; empty for a single dataset.

        Where pictures have twins in the train data, a second set of means counts those datasets without them.
        """
        with_twins = [row for row in self.rows if not row.twins_removed]
        twinned = {row.dataset for row in self.rows if row.twins}
        # A dataset of which every picture has a twin has no rows without: it does not count at all.
        without = [row for row in self.rows if row.twins_removed == (row.dataset in twinned)]
        return _means(with_twins, False) + (_means(without, True) if twinned else [])


def write_report(store: Store, report: ClassificationReport) -> None:
    """Write plot, page and JSON; the JSON, the completion mark, comes last. Equal reports, equal bytes."""
    from tinyemo_data.evaluation.page import render_page
    from tinyemo_data.evaluation.plot import render_plot

    store.write_bytes(PLOT_KEY, render_plot(report))
    store.write_bytes(MARKDOWN_KEY, render_page(report).encode())
    store.write_json(JSON_KEY, to_json(report))


def read_report(store: Store) -> ClassificationReport:
    """Read the JSON back. Raises StoreError where it is absent or was written by another version."""
    content = store.read_json(JSON_KEY)
    try:
        rows = [_row(values) for values in content["rows"]]
        return ClassificationReport(rows, content["notes"], content["context"])
    except (KeyError, TypeError) as exc:
        raise StoreError(
            f"{store.path(JSON_KEY)} is no classification report of this version ({exc!r}). "
            "Materialize evaluation/classification again."
        ) from exc


def to_json(report: ClassificationReport) -> dict[str, Any]:
    """Return the report as JSON values: `context`, `mean`, `notes`, `paper` and `rows`."""
    from tinyemo_data.evaluation.paper import paper_table

    paper = paper_table()
    return {
        "context": dict(report.context),
        "mean": [asdict(mean) for mean in report.mean],
        "notes": report.remarks,
        "paper": {
            "source": paper.source,
            "url": paper.url,
            "models": [asdict(model) for model in paper.models],
        },
        "rows": [asdict(row) for row in report.rows],
    }


def _row(values: dict[str, Any]) -> Row:
    """Return the row of JSON values, whose lists of fixed length are tuples again."""
    unknown = set(values) - {field.name for field in fields(Row)}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    low, high = values["ci95"]
    lead = {method: (d, lo, hi) for method, (d, lo, hi) in values["lead"].items()}
    return Row(**{**values, "ci95": (low, high), "lead": lead})


def _means(rows: Sequence[Row], twins_removed: bool) -> list[Mean]:
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    if len(datasets) < 2:
        return []
    methods = dict.fromkeys(row.method for row in rows if row.seed is None)
    found = (_mean(rows, method, datasets, twins_removed) for method in methods)
    return [mean for mean in found if mean is not None]


def _mean(rows: Sequence[Row], method: str, datasets: list[str], twins_removed: bool) -> Mean | None:
    chosen = [row for row in rows if row.method == method and row.seed is None]
    if [row.dataset for row in chosen] != datasets:
        return None
    return Mean(
        method,
        twins_removed,
        datasets,
        round(fmean(row.top1 for row in chosen), DECIMALS),
        _deviation_over_seeds(rows, method, datasets),
        round(fmean(row.macro_f1 for row in chosen), DECIMALS),
    )


def _deviation_over_seeds(rows: Sequence[Row], method: str, datasets: list[str]) -> float | None:
    """Return the deviation of the seeds' own means over datasets; None where there are not two such seeds."""
    of_seed: dict[int, list[float]] = {}
    for row in rows:
        if row.method == method and row.seed is not None:
            of_seed.setdefault(row.seed, []).append(row.top1)
    means = [fmean(figures) for figures in of_seed.values() if len(figures) == len(datasets)]
    return round(stdev(means), DECIMALS) if len(means) > 1 else None
