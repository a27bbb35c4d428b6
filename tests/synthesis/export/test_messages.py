from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.synthesis.export.records import question_answer, record, write_records
from tinyemo_data.errors import InstructFileError, StoreError
from tinyemo_data.store import Store
from tinyemo_data.synthesis import record_file
from tinyemo_data.synthesis.export.messages import MESSAGES, MessagesFile, export_messages

KEY = "exports/messages/dialogue.parquet"
DIALOGUE = [
    ("human", "<image>\nWhat is there?"),
    ("gpt", "A dog."),
    ("human", "And then?"),
    ("gpt", "It barks."),
]


def preference(number: int, rejected: str | None = "A cat, surely.") -> dict[str, Any]:
    turns = question_answer("What is there?", f"Dog {number}.")
    return record(number, "preferences/pair", turns=turns, rejected=rejected)


def part(text: str) -> dict[str, str | None]:
    return {"type": "text", "text": text}


IMAGE = {"type": "image", "text": None}


def test_export_messages_makes_a_row_a_record_with_its_picture_in_the_first_user_message(store: Store) -> None:
    rows = [record(2, turns=DIALOGUE), record(1)]
    write_records(store, "dialogue", rows)
    assert export_messages(store, "dialogue") == MessagesFile(KEY, 2, False)
    found = store.read_table(KEY).to_dicts()
    assert found[0] == {
        "record_id": rows[0]["record_id"],
        "task": "finetune/reasoning",
        "images": [rows[0]["image"]],
        "messages": [
            {"role": "user", "content": [IMAGE, part("What is there?")]},
            {"role": "assistant", "content": [part("A dog.")]},
            {"role": "user", "content": [part("And then?")]},
            {"role": "assistant", "content": [part("It barks.")]},
        ],
    }
    assert found[1]["messages"][1]["content"] == [part(rows[1]["conversations"][1]["value"])]


def test_export_messages_gives_as_many_image_parts_as_images(store: Store) -> None:
    write_records(store, "dialogue", [record(number, turns=DIALOGUE[: 2 + 2 * (number % 2)]) for number in range(9)])
    export_messages(store, "dialogue")
    for row in store.read_table(KEY).to_dicts():
        types = [content["type"] for message in row["messages"] for content in message["content"]]
        assert types.count("image") == len(row["images"]) == 1
        assert types[0] == "image"
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"] * (len(row["messages"]) // 2)


def test_export_messages_makes_prompt_chosen_and_rejected_of_preferences(store: Store) -> None:
    write_records(store, "preferences", [preference(1), preference(2, rejected="A tree.")])
    report = export_messages(store, "preferences")
    assert report.is_preference
    assert store.read_table(report.key).drop("record_id", "task", "images").to_dicts()[1] == {
        "prompt": [{"role": "user", "content": [IMAGE, part("What is there?")]}],
        "chosen": [{"role": "assistant", "content": [part("Dog 2.")]}],
        "rejected": [{"role": "assistant", "content": [part("A tree.")]}],
    }


def test_export_messages_keeps_the_earlier_turns_of_a_preference_in_its_prompt(store: Store) -> None:
    write_records(store, "preferences", [preference(1), preference(2) | {
        "conversations": [{"from": role, "value": value} for role, value in DIALOGUE]}])  # fmt: skip
    row = store.read_table(export_messages(store, "preferences").key).to_dicts()[1]
    assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "user"]
    assert row["chosen"][0]["content"] == [part("It barks.")]


def test_export_messages_has_the_plain_types_that_every_reader_knows(store: Store) -> None:
    write_records(store, "preferences", [preference(1)])
    key = export_messages(store, "preferences").key
    schema = pq.read_schema(Path(str(store.path(key))))
    assert {str(schema.field(name).type) for name in ("prompt", "chosen", "rejected")} == {
        str(MESSAGES).replace("item:", "element:")
    }
    assert str(schema.field("images").type) == "list<element: string>"


def test_export_messages_gives_the_same_rows_whatever_the_part_and_the_same_bytes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(store, "dialogue", [record(number, turns=DIALOGUE) for number in range(7)])
    export_messages(store, "dialogue")
    rows, content = store.read_table(KEY), store.read_bytes(KEY)
    export_messages(store, "dialogue")
    assert store.read_bytes(KEY) == content
    monkeypatch.setattr(record_file, "ROW_GROUP", 2)
    write_records(store, "dialogue", [record(number, turns=DIALOGUE) for number in range(7)])
    export_messages(store, "dialogue")
    assert store.read_table(KEY).equals(rows)


def test_export_messages_refuses_a_set_of_which_some_records_alone_have_a_rejected_answer(store: Store) -> None:
    write_records(store, "preferences", [preference(1), preference(2, rejected=None)])
    with pytest.raises(InstructFileError, match="1 of the first 2 records have a rejected answer"):
        export_messages(store, "preferences")
    assert store.keys("exports/messages") == []


def test_export_messages_names_the_mend_when_there_is_nothing_to_export(store: Store) -> None:
    with pytest.raises(StoreError, match="materialize the asset"):
        export_messages(store, "dialogue")
    write_records(store, "dialogue", [])
    with pytest.raises(InstructFileError, match="has no records"):
        export_messages(store, "dialogue")
