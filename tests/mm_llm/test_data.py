"""Records that can't be trained on are one clear error before training: shape, pictures, length, nothing to learn."""

from pathlib import Path

import numpy as np
import pytest

from tests.mm_llm.conftest import changed, row, write_set
from tinyemo_data.errors import MMLLMError, StoreError
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.conversation import Conversation, as_conversation, hold_out, read_conversations
from tinyemo_data.mm_llm.encoding import IGNORED, context_of, encode
from tinyemo_data.mm_llm.materialize import compose_parts, prepare_data, pretrain
from tinyemo_data.mm_llm.pictures import find_pictures, read_picture
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@pytest.fixture
def whole(store: Store, planted: Settings) -> MMLLM:
    return compose_parts(planted)


def test_records_are_read_in_the_order_of_sets_and_rows(store: Store, planted: Settings) -> None:
    found = read_conversations(store, ["pretrain", "finetune"])
    assert len(found) == 64
    assert found[0].turns == (("<image>\n" + found[0].turns[0][0].removeprefix("<image>\n"), "It is amusement."),)
    assert (found[3].dataset, found[3].path) == ("emoset", "p3.png")


def test_set_that_is_not_there_or_empty_is_told(store: Store, planted: Settings) -> None:
    with pytest.raises(StoreError, match="instruct/hq/records"):
        read_conversations(store, ["pretrain", "hq"])
    write_set(store, "hq", [])
    with pytest.raises(MMLLMError, match=r"instruct/hq/records\.parquet holds no records"):
        read_conversations(store, ["pretrain", "hq"])


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[number % 2], "value": text} for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("conversations", "found"),
    [
        (turns("<image>\nA <image> here?", "Yes."), r"expected one <image>, in the first question; found 2"),
        (turns("What is it?", "Fear."), r"found 0 in its turns \[\]"),
        (turns("What is it?", "An <image>."), r"found 1 in its turns \[2\]"),
        (turns("<image>\nA?", "B.", "<image> C?", "D."), r"found 2 in its turns \[1, 3\]"),
        (turns("<image>\nA?", " "), "turn 2 is empty"),
        (turns("<image>\nA?", "B.", "C?"), "by human, gpt, human; expected human and gpt by turns"),
        (list(reversed(turns("A", "<image>\nB"))), "by gpt, human; expected"),
    ],
    ids=["two-marks", "no-mark", "mark-in-answer", "mark-in-second", "empty-answer", "unanswered", "gpt-first"],
)
def test_record_of_another_shape_is_named(conversations: list[dict[str, str]], found: str) -> None:
    with pytest.raises(MMLLMError, match=rf"Record emoset/p4#reasoning.*{found}"):
        as_conversation(row(4, conversations=conversations))


def test_missing_picture_is_found_before_training(store: Store, planted: Settings) -> None:
    (Path(planted.raw) / "emoset" / "p5.png").unlink()
    (Path(planted.raw) / "emoset" / "p9.png").write_bytes(b"")
    with pytest.raises(MMLLMError, match=r"2 of 32 pictures are missing or empty; the first is .*p5\.png"):
        pretrain(store, planted)
    assert not store.exists("models/mm_llm/.work")


def test_record_of_a_dataset_outside_the_profile_is_told(planted: Settings) -> None:
    with pytest.raises(MMLLMError, match="dataset 'oasis', which the profile"):
        find_pictures([as_conversation(row(1, dataset="oasis"))], planted)


def test_picture_that_can_t_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(MMLLMError, match=r"a\.png can't be decoded"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(MMLLMError, match=r"b\.png can't be read: No such file"):
        read_picture(tmp_path / "b.png")


def test_record_longer_than_the_context_is_refused_not_cut(store: Store, planted: Settings) -> None:
    write_set(store, "pretrain", [row(1), row(2, answer="very " * 300 + "long.")])
    with pytest.raises(MMLLMError, match=r"1 of \d records are longer than the 1024 tokens.*emoset/p2#reasoning, has"):
        pretrain(store, changed(planted, validation_fraction=0.0))


def test_record_with_nothing_to_learn_from_is_named(whole: MMLLM) -> None:
    unanswered = Conversation("emoset/p1#reasoning", "emoset/p1", "emoset", "p1.png", ())
    with pytest.raises(MMLLMError, match=r"Record emoset/p1#reasoning has no token to learn from"):
        encode([as_conversation(row(0)), unanswered], whole.processor.tokenizer, 9, 1024)


def test_special_token_in_a_record_s_text_is_refused(store: Store, planted: Settings) -> None:
    write_set(store, "pretrain", [row(1, answer="The end.</s> And more.")])
    with pytest.raises(MMLLMError, match=r"Record emoset/p1#reasoning holds '</s>'"):
        pretrain(store, changed(planted, validation_fraction=0.0))


def test_held_out_pictures_have_no_record_in_training() -> None:
    conversations = [as_conversation(row(number % 40, record_id=f"r{number}")) for number in range(120)]
    kept, held_out = hold_out(conversations, 0.25, seed=3)
    assert len(kept) + len(held_out) == 120
    assert 10 <= len(held_out) <= 60
    assert not {each.sample_id for each in kept} & {each.sample_id for each in held_out}
    assert hold_out(conversations, 0.25, seed=3) == (kept, held_out)
    assert hold_out(conversations, 0.0, seed=3) == (conversations, [])


def test_batches_learn_answers_and_ignore_padding(store: Store, planted: Settings, whole: MMLLM) -> None:
    from tinyemo_data.mm_llm.batches import Collator, Pixels

    data = prepare_data(store, planted, whole, "finetune")
    tokenizer = whole.processor.tokenizer
    collate = Collator(Pixels(data.pictures, whole.processor.image_processor), tokenizer.pad_token_id)
    batch = collate([data.train[number] for number in range(3)])
    assert batch["pixel_values"].shape == (3, 3, 24, 24)
    assert batch["input_ids"].shape[1] % 8 == 0
    for number in range(3):
        ids, learnt = data.train.encoded[number]
        assert batch["attention_mask"][number].sum() == len(ids)
        labels = batch["labels"][number].numpy()
        assert np.array_equal(labels[labels != IGNORED], ids[learnt])
        assert "Predicted Label:" in tokenizer.decode(ids[learnt])


@pytest.mark.parametrize(("wanted", "expected"), [(None, 1024), (100, 100), (5000, 1024)])
def test_context_is_what_the_backbone_takes_at_most(wanted: int | None, expected: int, whole: MMLLM) -> None:
    assert context_of(whole.model.config, wanted) == expected
