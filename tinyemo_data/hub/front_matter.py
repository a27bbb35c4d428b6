"""The YAML at the top of a card, by which the Hub finds, lists and loads a repository.

Fields as in the Hub's specifications of dataset cards and model cards.
"""

from typing import Any

import yaml

from tinyemo_data.hub.columns import datasets_features
from tinyemo_data.hub.facts import SetFacts
from tinyemo_data.hub.licences import all_licences

LICENCE_FILE = "LICENSE.md"
TASKS = ["image-text-to-text", "visual-question-answering", "image-classification"]
TAGS = ["emotion", "affective-computing", "visual-emotion-analysis", "instruction-tuning", "synthetic"]
# The Hub's classes, by the number of records from which one ends.
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def licence_fields() -> dict[str, str]:
    """Return the fields that say what a repository is published under."""
    return {"license": "other", "license_name": all_licences().ours.name, "license_link": LICENCE_FILE}


def size_category(records: int) -> str:
    """Return the Hub's class of a number of records."""
    return next((name for end, name in SIZES if records < end), "10M<n<100M")


def dataset_front_matter(facts: SetFacts, title: str) -> dict[str, Any]:
    """Return the fields of a set's card."""
    sizes = {"num_bytes": sum(shard.arrow_bytes for shard in facts.shards), "num_examples": facts.counts.records}
    return {
        "pretty_name": title,
        **licence_fields(),
        "language": ["en"],
        "multilinguality": ["monolingual"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": [f"extended|other-{name}" for name in facts.datasets],
        "size_categories": [size_category(facts.counts.records)],
        "task_categories": TASKS,
        "tags": TAGS,
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
        "dataset_info": {
            "config_name": "default",
            "features": datasets_features(),
            "splits": [{"name": "train", **sizes}],
            "download_size": sum(shard.bytes for shard in facts.shards),
            "dataset_size": sizes["num_bytes"],
        },
    }


def as_yaml(fields: dict[str, Any]) -> str:
    """Return fields as front matter, between its two lines of dashes."""
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120)}---\n"
