import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.synthesis.export.records import question_answer, record, write_records
from tests.synthesis.export.trainer_oracle import group_by_modality, see_caption, see_instruction
from tinyemo_data import taxonomy
from tinyemo_data.errors import InstructFileError, StoreError, TableError
from tinyemo_data.store import Store
from tinyemo_data.synthesis import record_file
from tinyemo_data.synthesis.export.image_folder import link_image_folder
from tinyemo_data.synthesis.export.lint import lint
from tinyemo_data.synthesis.export.llava import LlavaFile, export_llava
from tinyemo_data.synthesis.export.rulebook import RULES
from tinyemo_data.synthesis.export.text_only import text_only_records
from tinyemo_data.synthesis.records import records_key

FINETUNE, PRETRAIN, QUESTIONS = (f"exports/llava/{name}.json" for name in ("finetune", "pretrain", "pretrain_qa"))


def pretrain_records(count: int) -> list[dict[str, Any]]:
    """Return a caption, a VQA and an SQA record of each of `count` pictures, mixed."""
    caption = question_answer("Describe the picture.", "A dog on a lawn.")
    vqa = question_answer("What lies on the lawn?", "A dog.")
    sqa = question_answer("How may one feel here?", "Calm.")
    rows = []
    for number in range(count):
        rows.append(record(number, "pretrain/vqa", turns=vqa))
        rows.append(record(number, "pretrain/caption", turns=caption))
        rows.append(record(number, "pretrain/sqa", turns=sqa))
    return rows


def load(store: Store, key: str) -> list[dict[str, Any]]:
    """Read as the trainers do."""
    with Path(str(store.path(key))).open() as file:
        return list(json.load(file))


def path_of(store: Store, key: str) -> Path:
    return Path(str(store.path(key)))


def test_export_llava_writes_the_records_in_their_order_and_text_only_ones_at_the_end(store: Store) -> None:
    rows = [record(number) for number in (3, 1, 2)]
    write_records(store, "finetune", rows)
    assert export_llava(store, "finetune") == [LlavaFile(FINETUNE, 2, 6, 3)]
    found = load(store, FINETUNE)
    assert [set(one) for one in found[:3]] == [{"id", "image", "conversations"}] * 3
    assert [(one["id"], one["image"], one["conversations"]) for one in found[:3]] == [
        (row["record_id"], row["image"], row["conversations"]) for row in rows
    ]
    assert all("image" not in one for one in found[3:])


def test_export_llava_makes_two_files_of_a_pretraining_set_so_that_no_answer_loses_its_question(store: Store) -> None:
    write_records(store, "pretrain", pretrain_records(5))
    assert export_llava(store, "pretrain") == [LlavaFile(PRETRAIN, 1, 5, 0), LlavaFile(QUESTIONS, 2, 13, 3)]
    captions, questions = load(store, PRETRAIN), load(store, QUESTIONS)
    assert {see_caption(one).trained[0] for one in captions} == {"A dog on a lawn.\n"}
    tasks = [one["id"].partition("#")[2] for one in questions]
    assert tasks == ["vqa", "sqa"] * 5 + [""] * 3
    assert all(one["conversations"][0]["value"].removeprefix("<image>\n") in see_instruction(one, "phi").prompt
               for one in questions)  # fmt: skip


@pytest.mark.parametrize("name", ["pretrain", "finetune"])
def test_exports_pass_their_own_linter_and_the_trainers_own_code(store: Store, tmp_path: Path, name: str) -> None:
    rows = pretrain_records(4) if name == "pretrain" else [record(number) for number in range(4)]
    write_records(store, name, rows)
    for row in rows:
        picture = tmp_path / "raw" / row["image"]
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(b"picture")
    for file in export_llava(store, name):
        report = lint(path_of(store, file.key), file.stage, image_folder=tmp_path / "raw")
        assert report.ok, list(report.lines())
        assert (report.records, report.text_only) == (file.records, file.text_only)
        if file.stage == 2:
            group_by_modality(load(store, file.key))


def test_export_llava_gives_the_same_bytes_whatever_the_part_and_however_often(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(store, "pretrain", pretrain_records(7))
    export_llava(store, "pretrain")
    whole = [path_of(store, key).read_bytes() for key in (PRETRAIN, QUESTIONS, "exports/README.md")]
    monkeypatch.setattr(record_file, "ROW_GROUP", 2)
    write_records(store, "pretrain", pretrain_records(7))
    export_llava(store, "pretrain")
    assert [path_of(store, key).read_bytes() for key in (PRETRAIN, QUESTIONS, "exports/README.md")] == whole


def test_export_llava_removes_the_questions_of_an_earlier_run_when_there_are_none_any_more(store: Store) -> None:
    write_records(store, "pretrain", pretrain_records(2))
    export_llava(store, "pretrain")
    write_records(store, "pretrain", [row for row in pretrain_records(2) if row["task"] == "pretrain/caption"])
    assert [file.key for file in export_llava(store, "pretrain")] == [PRETRAIN]
    assert not store.exists(QUESTIONS)


@pytest.mark.parametrize(
    "turns",
    [
        [("human", "Which emotion?"), ("gpt", "Joy.")],
        [("human", "Which <image>\nemotion?"), ("gpt", "Joy.")],
        [("human", "<image>\nWhich emotion?"), ("gpt", "Joy <image>.")],
    ],
    ids=["none", "not_at_the_beginning", "twice"],
)
def test_export_llava_leaves_the_earlier_file_when_a_record_has_not_one_image_token(
    store: Store, turns: list[tuple[str, str]]
) -> None:
    write_records(store, "finetune", [record(1)])
    export_llava(store, "finetune")
    before = path_of(store, FINETUNE).read_bytes()
    write_records(store, "finetune", [record(1), record(2, turns=turns)])
    with pytest.raises(InstructFileError, match="joy/2#reasoning: expected <image> once"):
        export_llava(store, "finetune")
    assert path_of(store, FINETUNE).read_bytes() == before
    assert sorted(path.name for path in path_of(store, FINETUNE).parent.iterdir()) == ["finetune.json"]


def test_export_llava_names_the_mend_when_there_is_nothing_to_export(store: Store) -> None:
    with pytest.raises(StoreError, match="materialize the asset"):
        export_llava(store, "finetune")
    write_records(store, "finetune", [])
    with pytest.raises(InstructFileError, match=r"has no records.*funnel\.json"):
        export_llava(store, "finetune")
    store.write_table(records_key("finetune"), pl.DataFrame({"record_id": ["a"]}))
    with pytest.raises(TableError, match="column 'image' is missing"):
        export_llava(store, "finetune")
    store.write_bytes(records_key("finetune"), b"no table")
    with pytest.raises(TableError, match="no readable Parquet"):
        export_llava(store, "finetune")


def test_export_llava_keeps_every_character_of_a_text(store: Store) -> None:
    text = 'Quote " and \\ and\nnewline, tab\t, é, 漢字, 🙂, \u2028 and \x01.'
    write_records(store, "finetune", [record(1, turns=question_answer(text, text))])
    export_llava(store, "finetune")
    assert load(store, FINETUNE)[0]["conversations"][1]["value"] == text


def test_the_guide_names_every_rule_and_every_file(store: Store) -> None:
    write_records(store, "finetune", [record(1)])
    export_llava(store, "finetune")
    page = store.read_bytes("exports/README.md").decode()
    assert all(f"`{rule}`" in page for rule in RULES)
    assert all(f"`{name}.json`" in page for name in ("pretrain", "pretrain_qa", "finetune", "hq", "dialogue"))
    assert "{rules}" not in page


def test_text_only_records_are_true_of_the_taxonomies() -> None:
    for name in ("ekman6", "mikels8", "parrott25", "unbiasedemo6"):
        labels, positive, negative = (one["conversations"][1]["value"].lower() for one in text_only_records([name]))
        polarity = taxonomy.get_map(f"{name}_to_sentiment").pairs
        for label in taxonomy.get(name).labels:
            assert label in labels
            assert (label in positive, label in negative) == (
                polarity[label] == "positive",
                polarity[label] == "negative",
            )


def test_text_only_records_speak_of_all_taxonomies_when_none_is_named() -> None:
    ids = [one["id"] for one in text_only_records([])]
    assert len(ids) == len(set(ids)) == 12


def test_link_image_folder_makes_exported_paths_exist_wherever_a_dataset_lies(tmp_path: Path) -> None:
    deep = tmp_path / "raw/emotion6/Emotion6"
    (deep / "images/joy").mkdir(parents=True)
    (deep / "images/joy/1.jpg").write_bytes(b"picture")
    folder = tmp_path / "images"
    for _ in range(2):
        link_image_folder(folder, {"emotion6": deep})
        assert (folder / "emotion6/images/joy/1.jpg").read_bytes() == b"picture"
    assert [path.name for path in folder.iterdir()] == ["emotion6"]
    (folder / "fi").mkdir()
    with pytest.raises(StoreError, match="expected a link"):
        link_image_folder(folder, {"fi": deep})
