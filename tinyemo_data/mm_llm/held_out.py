"""Questions about pictures that finetuning never saw, put to the model that it made."""

from pathlib import Path
from typing import Any

from tinyemo_data.mm_llm.conversation import as_conversation, hold_out
from tinyemo_data.mm_llm.pictures import find_pictures
from tinyemo_data.mm_llm.question import ask
from tinyemo_data.mm_llm.reasoning import Answer, Reasoner
from tinyemo_data.mm_llm.saving import load_model, local_model, read_manifest
from tinyemo_data.settings import MMLLMSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import iterate_records


def ask_held_out(store: Store, settings: Settings, count: int) -> list[Answer]:
    """Ask the finetuned model for the emotion of `count` pictures at most, their labels withheld.

    Held out is what the model's own settings held out. Raises StoreError where there is no model, MMLLMError where a
    picture is gone.
    """
    with local_model(store, "finetune") as folder:
        whole = load_model(folder)
    manifest = read_manifest(store, "finetune") or {}
    rows = held_out_rows(store, MMLLMSettings.model_validate(manifest["settings"]))[:count]
    paths = _paths(rows, settings)
    questions = [ask(path, row["options"]) for path, row in zip(paths, rows, strict=True)]
    return Reasoner(whole, settings.mm_llm).answer(questions)


def held_out_rows(store: Store, chosen: MMLLMSettings) -> list[dict[str, Any]]:
    """Return a record a held-out picture of the finetuning sets: its first one that offers labels."""
    found: dict[str, dict[str, Any]] = {}
    for name in chosen.finetune.sets:
        for part in iterate_records(store, name):
            rows = [row for row in part.iter_rows(named=True) if row["options"]]
            _, held_out = hold_out(map(as_conversation, rows), chosen.validation_fraction, chosen.seed)
            wanted = {each.sample_id for each in held_out}
            for row in rows:
                if row["sample_id"] in wanted:
                    found.setdefault(row["sample_id"], row)
    return list(found.values())


def _paths(rows: list[dict[str, Any]], settings: Settings) -> list[Path]:
    places, numbers = find_pictures([as_conversation(row) for row in rows], settings)
    return [places[number] for number in numbers]
