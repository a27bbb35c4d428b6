"""What a store holds, for a terminal: the accuracy table, and where everything lies."""

from typing import Any

from rich.console import Console
from rich.table import Table

from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

REPORT = "reports/classification.json"
FOLDERS = {
    "samples": "Sample tables, one a dataset",
    "quarantine": "files that were kept apart, and why",
    "models/projector": "the Metric Projector: weights, configuration, metrics, prototypes",
    "models/language_model": "the language model made on the spot",
    "models/mm_llm": "the MM-LLM after each stage; loads with plain transformers",
    "instruct": "instruct sets, what their gates refused, and their funnels",
    "exports": "the sets as LLaVA, TRL, lmms-eval and VLMEvalKit take them",
    "reports": "accuracy and reasoning tables as JSON, Markdown and pictures",
    "audit": "report.html of bias slices, review.csv for your decisions, words that explain the projector",
    "hub": "repositories staged for the Hub; nothing was sent",
}


def print_overview(settings: Settings, console: Console) -> None:
    """Print the accuracy table and the places. Raises StoreError where nothing was evaluated yet."""
    store = Store(settings.store)
    report = store.read_json(REPORT)
    console.print(accuracy_table(report["rows"], drawn=settings.pictures == "drawn"))
    for mean in report["mean"]:
        if mean["method"] == "projector":
            twins = ", without twins" if mean["twins_removed"] else ""
            console.print(f"Mean of {len(mean['datasets'])} datasets{twins}: {mean['top1']:.1%}", highlight=False)
    for note in report["notes"]:
        console.print(f"- {note}", highlight=False, soft_wrap=True)
    console.print("\nWhat was made:")
    for folder, meaning in FOLDERS.items():
        if store.keys(folder):
            console.print(f"  {store.path(folder)}  {meaning}", highlight=False, soft_wrap=True)
    for folder in sorted(str(path) for path in store.path("features").glob("*/*")):
        console.print(f"  {folder}  CLIP features", highlight=False, soft_wrap=True)
    console.print(f"\nRead {store.path('reports/classification.md')}, or open the graph in a browser: make dev")


def accuracy_table(rows: list[dict[str, Any]], drawn: bool) -> Table:
    """Return the main rows (means over seeds and single methods, all pictures) as a table for a terminal."""
    title = "Accuracy on DRAWN pictures: it says nothing about real ones" if drawn else "Accuracy"
    table = Table(title=title)
    for column in ("dataset", "split", "method"):
        table.add_column(column, no_wrap=True)
    for column in ("N", "top-1 %", "95 %", "macro-F1 %"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        if row["seed"] is not None or row["twins_removed"]:
            continue
        low, high = row["ci95"]
        table.add_row(
            row["dataset"],
            row["split"],
            row["method"],
            f"{row['n']:,}",
            f"{row['top1']:.1%}".rstrip("%"),
            f"{low:.1%} to {high:.1%}".replace("%", ""),
            f"{row['macro_f1']:.1%}".rstrip("%"),
        )
    return table
