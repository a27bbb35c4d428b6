import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import InstructFileError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.export.lint import lint
from tinyemo_data.synthesis.export.llava import export_llava
from tinyemo_data.synthesis.export.released import RELEASED, import_released
from tinyemo_data.synthesis.export.released.faults import FAULTS
from tinyemo_data.synthesis.export.released.task import tell_task
from tinyemo_data.synthesis.records import read_records, read_rejects, records_key, rejects_key

PRETRAIN, EMOREASON, HQ = RELEASED
AUTHOR = "/home/author/data/partitioned_WEBEmo_fine"
OPTIONS = "zest, cheerfullness, sadness, irritabilty"
REASONING = "The sun shines on people who laugh together."


def released(number: int, question: str, answer: str, folder: str = "nervousness", **changes: Any) -> dict[str, Any]:
    """Return one record as the released files have them."""
    return {
        "image": f"{AUTHOR}/train/{folder}/{number}_F_49388255_COXF.jpg",
        "id": f"{number}_F_49388255_COXF",
        "conversations": [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}],
    } | changes


def reasoning(number: int, folder: str, label: str, **changes: Any) -> dict[str, Any]:
    question = f"This picture evokes {label}. Explain why, and choose a label from: {OPTIONS}."
    answer = f"Reasoning: {REASONING}\nPredicted Label: {label}"
    return released(number, question, answer, folder) | changes


def three_tasks(number: int) -> list[dict[str, Any]]:
    return [
        released(number, "What does the man hold?", "A letter."),
        released(number, "What emotion does the man's pose convey?", "He seems tense."),
        released(number, "Describe the image concisely.", "A man holds a letter."),
    ]


def write(folder: Path, records: Any) -> Path:
    path = folder / "released.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def rows(store: Store, key: str) -> list[dict[str, Any]]:
    return store.read_table(key).to_dicts()


def test_import_released_mends_paths_and_tells_the_three_tasks_apart(store: Store, tmp_path: Path) -> None:
    report = import_released(store, write(tmp_path, [*three_tasks(1), *three_tasks(2)]), PRETRAIN)
    assert (report.records, report.accepted, report.rejected, report.pictures) == (6, 6, 0, 2)
    assert report.tasks == {"caption": 2, "vqa": 2, "sqa": 2}
    assert report.pictures_without_all_tasks == 0
    assert report.faults == {"absolute_path": 6}
    found = rows(store, records_key(PRETRAIN))
    assert found[2] | {"conversations": None} == {
        "record_id": "webemo/train/nervousness/1_F_49388255_COXF#caption",
        "sample_id": "webemo/train/nervousness/1_F_49388255_COXF",
        "dataset": "webemo",
        "image": "webemo/train/nervousness/1_F_49388255_COXF.jpg",
        "picture_sha256": "",
        "task": "pretrain/caption",
        "variant": "",
        "conversations": None,
        "rejected": None,
        "emotion": "nervousness",
        "taxonomy": "parrott25",
        "options": [],
        "label_origin": "annotators",
        "recipe": PRETRAIN,
        "prompt_digest": "",
        "generator": "released",
        "model": "Bunny-v1.0-3B",
        "request_digest": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "usd": 0.0,
        "gates": [],
    }
    assert found[2]["conversations"] == three_tasks(1)[2]["conversations"]


def test_import_released_writes_tables_that_keep_the_schemas_of_records(store: Store, tmp_path: Path) -> None:
    import_released(store, write(tmp_path, [*three_tasks(1), {"id": 1}, *three_tasks(1)]), PRETRAIN)
    assert len(read_records(store, PRETRAIN)) == 3
    assert read_rejects(store, PRETRAIN)["reason"].to_list() == ["record_shape"] + ["duplicate_record"] * 3


def test_the_two_released_sets_join_by_sample_whichever_spelling_each_has(store: Store, tmp_path: Path) -> None:
    import_released(store, write(tmp_path, [released(7, "Describe it.", "A fair.", "cheerfullness")]), PRETRAIN)
    import_released(store, write(tmp_path, [reasoning(7, "cheerfulness", "cheerfulness")]), EMOREASON)
    (caption,), (reason,) = rows(store, records_key(PRETRAIN)), rows(store, records_key(EMOREASON))
    assert caption["sample_id"] == reason["sample_id"] == "webemo/train/cheerfullness/7_F_49388255_COXF"
    assert caption["emotion"] == reason["emotion"] == "cheerfulness"


def test_import_released_mends_spellings_in_turns_and_in_predicted_labels(store: Store, tmp_path: Path) -> None:
    records = [reasoning(1, "cheerfullness", "cheerfullness"), reasoning(2, "irritabilty", "Irritabilty.")]
    report = import_released(store, write(tmp_path, records), EMOREASON)
    first, second = rows(store, records_key(EMOREASON))
    assert first["conversations"][1]["value"] == f"Reasoning: {REASONING}\nPredicted Label: cheerfulness"
    assert second["conversations"][1]["value"].endswith("Predicted Label: irritability")
    assert first["options"] == ["cheerfulness", "zest", "sadness", "irritability"]
    assert "cheerfullness" not in str(first["conversations"])
    assert report.faults == {"absolute_path": 2, "misspelt_folder": 2, "misspelt_text": 4,
                             "predicted_label_spelling": 1, "label_in_prompt": 2}  # fmt: skip


def test_import_released_says_which_answers_can_be_copied_from_their_question(store: Store, tmp_path: Path) -> None:
    withheld = reasoning(3, "zest", "zest")
    withheld["conversations"][0]["value"] = f"<image>\nChoose a label from: {OPTIONS}."
    disagreeing = reasoning(4, "sadness", "zest")
    report = import_released(store, write(tmp_path, [reasoning(2, "zest", "zest"), withheld, disagreeing]), HQ)
    assert [row["variant"] for row in rows(store, records_key(HQ))] == ["given", "withheld", "withheld"]
    assert (report.faults["label_in_prompt"], report.faults["label_disagrees"]) == (1, 1)
    asked = [released(1, "Why does the man feel nervous?", "He waits."), released(2, "How does he feel?", "Tense.")]
    report = import_released(store, write(tmp_path, asked), PRETRAIN)
    assert (report.tasks, report.faults["label_in_question"]) == ({"sqa": 2}, 1)


def faulty(**changes: Any) -> dict[str, Any]:
    return released(9, "Describe it.", "A man.") | changes


def with_values(*values: Any, roles: tuple[str, ...] = ("human", "gpt", "human", "gpt")) -> dict[str, Any]:
    return faulty(conversations=[{"from": role, "value": value} for role, value in zip(roles, values, strict=False)])


REJECTED = {
    "record_shape": faulty(conversations="text"),
    "odd_turns": with_values("<image>\nWhat?", "A man.", "And?"),
    "wrong_roles": with_values("<image>\nWhat?", "A man.", roles=("gpt", "human")),
    "empty_turn": with_values("<image>\nWhat?", " "),
    "wrong_image_count": with_values("<image>\nWhat?", "A man <image>."),
    "breaking_text": with_values("<image>\nWhat?", "A man.</s>"),
    "unknown_path": faulty(image="1.jpg"),
    "unknown_label": faulty(image=f"{AUTHOR}/train/hunger/1.jpg"),
    "duplicate_record": three_tasks(1)[0],
}


@pytest.mark.parametrize("fault", REJECTED)
def test_import_released_keeps_a_record_apart_with_its_fault(store: Store, tmp_path: Path, fault: str) -> None:
    report = import_released(store, write(tmp_path, [*three_tasks(1), REJECTED[fault]]), PRETRAIN)
    assert (report.accepted, report.rejected, report.faults[fault]) == (3, 1, 1)
    (reject,) = rows(store, rejects_key(PRETRAIN))
    assert (reject["gate"], reject["reason"]) == ("released_set", fault)
    assert reject["detail"].startswith("record 4: ")
    assert "record 4" in report.examples[fault][0]
    assert any(line.startswith(f"{fault}: 1 rejected") for line in report.lines())


def test_import_released_mends_a_picture_token_that_is_missing_or_displaced(store: Store, tmp_path: Path) -> None:
    records = [with_values("What?", "A man."), with_values("What is in <image>", "A man, old.")]
    report = import_released(store, write(tmp_path, records), PRETRAIN)
    assert report.faults["image_token_place"] == 2
    assert [row["conversations"][0]["value"] for row in rows(store, records_key(PRETRAIN))] == [
        "<image>\nWhat?",
        "<image>\nWhat is in",
    ]


def test_import_released_looks_for_pictures_in_either_spelling_and_keeps_their_digest(
    store: Store, tmp_path: Path
) -> None:
    for folder, number in (("cheerfulness", 1), ("irritabilty", 2)):
        place = tmp_path / f"raw/webemo/train/{folder}"
        place.mkdir(parents=True)
        (place / f"{number}_F_49388255_COXF.jpg").write_bytes(b"picture %d" % number)
    records = [reasoning(1, "cheerfullness", "joy"), reasoning(2, "irritability", "joy"), reasoning(3, "zest", "zest")]
    report = import_released(store, write(tmp_path, records), EMOREASON, images=tmp_path / "raw")
    found = rows(store, records_key(EMOREASON))
    assert [row["image"].split("/")[2] for row in found] == ["cheerfulness", "irritabilty"]
    assert [row["picture_sha256"] for row in found] == [
        hashlib.sha256(content).hexdigest() for content in (b"picture 1", b"picture 2")
    ]
    assert report.faults["missing_picture"] == 1
    assert "webemo/train/zest/3_F" in report.examples["missing_picture"][0]


def test_imported_records_export_to_what_the_linter_takes(store: Store, tmp_path: Path) -> None:
    import_released(store, write(tmp_path, [*three_tasks(1), *three_tasks(2)]), PRETRAIN)
    import_released(store, write(tmp_path, [reasoning(1, "irritabilty", "irritabilty")]), EMOREASON)
    files = [*export_llava(store, PRETRAIN), *export_llava(store, EMOREASON)]
    assert [file.stage for file in files] == [1, 2, 2]
    for file in files:
        report = lint(Path(str(store.path(file.key))), file.stage)
        assert report.ok, list(report.lines())


def test_the_linter_reports_the_released_files_own_faults(tmp_path: Path) -> None:
    path = write(tmp_path, [*three_tasks(1), reasoning(2, "cheerfullness", "cheerfullness")])
    assert lint(path, 1).counts == {"image_path": 4, "stage1_question_lost": 2, "label_spelling": 2}
    assert lint(path, 2).counts == {"image_path": 4, "label_spelling": 2, "stage2_without_text_only": 1}


def test_import_released_gives_records_of_one_task_and_picture_their_own_ids(store: Store, tmp_path: Path) -> None:
    records = [released(1, "What is this?", "A man."), released(1, "Who is this?", "A man.")]
    report = import_released(store, write(tmp_path, records), PRETRAIN)
    assert [row["record_id"].rpartition("#")[2] for row in rows(store, records_key(PRETRAIN))] == ["vqa", "vqa~2"]
    assert report.pictures_without_all_tasks == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the end of the file"),
        ("no JSON", "expected a JSON list"),
        ('[{"image": ', "record 1: expected valid JSON"),
        ("[]", "none of 0 records is usable"),
        ('[{"license": 1, "file_name": "a.jpg"}]', "none of 1 records is usable"),
    ],
)
def test_import_released_writes_nothing_when_the_file_is_no_released_set(
    store: Store, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(InstructFileError, match=message) as caught:
        import_released(store, path, PRETRAIN)
    assert str(path) in str(caught.value)
    folder = Path(store.url) / "instruct" / PRETRAIN
    assert not folder.exists() or list(folder.iterdir()) == []


def test_import_released_leaves_an_earlier_import_when_the_file_is_cut_off(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, [*three_tasks(1), *three_tasks(2)])
    import_released(store, path, PRETRAIN)
    before = {file.name: file.read_bytes() for file in (Path(store.url) / "instruct" / PRETRAIN).iterdir()}
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InstructFileError, match="record 6"):
        import_released(store, path, PRETRAIN)
    assert {file.name: file.read_bytes() for file in (Path(store.url) / "instruct" / PRETRAIN).iterdir()} == before


def test_import_released_suggests_the_set_that_was_meant(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InstructFileError, match="Did you mean 'tinyemo-pretrain-525k'"):
        import_released(store, write(tmp_path, []), "tinyemo-pretrain-520k")


def test_import_released_reads_json_lines_and_gives_equal_bytes_again(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "released.jsonl"
    path.write_text("\n".join(map(json.dumps, three_tasks(1))))
    import_released(store, path, PRETRAIN)
    before = store.read_bytes(records_key(PRETRAIN))
    import_released(store, write(tmp_path, three_tasks(1)), PRETRAIN)
    assert store.read_bytes(records_key(PRETRAIN)) == before


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["image", "id", "conversations", "from", "value"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def broken(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in record:
        yield {name: value for name, value in record.items() if name != key}


@given(st.data())
def test_import_released_accounts_for_every_record_whatever_is_in_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = released(1, "Describe it.", "A man.")
    texts = st.text(max_size=12) | st.sampled_from(["</s>", "<image>", "\ud83d", "Predicted Label: zest"])
    odd = st.builds(lambda asked, said, folder: released(2, asked, said, folder), texts, texts, texts)
    records = data.draw(st.lists(JUNK | odd | st.sampled_from(list(broken(good))), max_size=4))
    folder = tmp_path_factory.mktemp("released")
    store = Store(folder / "store")
    report = import_released(store, write(folder, [good, *records]), PRETRAIN)
    assert report.accepted + report.rejected == report.records == 1 + len(records)
    assert len(rows(store, records_key(PRETRAIN))) == report.accepted
    assert len(rows(store, rejects_key(PRETRAIN))) == report.rejected
    assert set(report.faults) <= set(FAULTS)


@pytest.mark.parametrize(
    ("question", "answer", "task"),
    [
        ("Describe the image concisely.", "A man.", "caption"),
        ("Provide a brief description of the given image.", "A man.", "caption"),
        ("What is the man wearing?", "A hat.", "vqa"),
        ("Is there a describer in the room?", "No.", "vqa"),
        ("Describe the emotion of the man.", "He is tense.", "sqa"),
        ("Why is the man nervous?", "He waits.", "sqa"),
        ("Explain.", "Reasoning: he waits.\nPredicted Label: zest", "reasoning"),
        ("Explain.", "**Reasoning:** he waits.", "reasoning"),
    ],
)
def test_tell_task_reads_the_turns(question: str, answer: str, task: str) -> None:
    assert tell_task(question, answer, "nervousness") == task
