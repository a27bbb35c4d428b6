"""The paper's Table VIII (`paper_table_8.yaml`), and what a model had seen of a dataset it is measured on."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

TABLE = Path(__file__).parent / "paper_table_8.yaml"

# own train split: the usual supervised case. same pictures: learnt from them under another dataset's name, so
# that the figure looks zero-shot and is not. zero-shot: learnt from neither. not known: imported weights.
Seen = Literal["own train split", "same pictures", "zero-shot", "not known"]


@dataclass(frozen=True)
class PaperModel:
    """One row of the table: top-1 in per cent a dataset, and the datasets that the model learnt from."""

    name: str
    trained_on: tuple[str, ...]
    top1: dict[str, float]


@dataclass(frozen=True)
class PaperTable:
    """Table VIII with its source. `datasets` maps a dataset to its title, in the paper's column order."""

    source: str
    url: str
    datasets: dict[str, str]
    labels: dict[str, int]
    models: tuple[PaperModel, ...]
    same_pictures: tuple[frozenset[str], ...]


@cache
def paper_table() -> PaperTable:
    """Read Table VIII from the package."""
    content = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    source = content["source"]
    return PaperTable(
        source=f"{source['author']} {source['year']}, {source['title']}, Table {source['table']}",
        url=source["url"],
        datasets={name: entry["title"] for name, entry in content["datasets"].items()},
        labels={name: entry["labels"] for name, entry in content["datasets"].items()},
        models=tuple(PaperModel(m["name"], tuple(m["trained_on"]), dict(m["top1"])) for m in content["models"]),
        same_pictures=tuple(frozenset(group) for group in content["same_pictures"]),
    )


def seen(dataset: str, trained_on: Collection[str]) -> Seen:
    """Tell what a model that learnt from `trained_on` (empty: nobody knows) had seen of `dataset`'s pictures."""
    if not trained_on:
        return "not known"
    if dataset in trained_on:
        return "own train split"
    for group in paper_table().same_pictures:
        if dataset in group and group.intersection(trained_on):
            return "same pictures"
    return "zero-shot"


def title(dataset: str) -> str:
    """Return the dataset's name as the paper writes it, or the key itself for a dataset it does not have."""
    return paper_table().datasets.get(dataset, dataset)
