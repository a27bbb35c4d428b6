"""Asking a model: batches change no answer, and the label that an answer states is found."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.mm_llm.conftest import EMOTIONS, changed
from tinyemo_data import taxonomy
from tinyemo_data.mm_llm.materialize import compose_parts
from tinyemo_data.mm_llm.question import GIVEN, WITHHELD, ask
from tinyemo_data.mm_llm.reasoning import Reasoner
from tinyemo_data.mm_llm.stated_label import stated_label
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.prompt import load_prompt

OPTIONS = ("anger", "awe", "contentment", "fear")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reasoning: dark trees.\nPredicted Label: fear", "fear"),
        ("predicted label = Awe.", "awe"),
        ("Predicted Label: anger\nPredicted Label: fear", "fear"),
        ("Predicted Label: **fear**", "fear"),
        ("Not anger: Predicted Label: the emotion of fear, rather than anger", "fear"),
        ("It may well evoke contentment.", "contentment"),
        ("Awesome!", None),
        ("It could be anger or fear.", None),
        ("Predicted Label: joy", None),
        ("", None),
    ],
)
def test_stated_label_is_found_where_there_is_one(text: str, expected: str | None) -> None:
    assert stated_label(text, OPTIONS) == expected


@given(text=st.text(), label=st.sampled_from(OPTIONS), tail=st.text(st.characters(exclude_categories=["L", "N", "M"])))
def test_marked_label_is_found_behind_any_text(text: str, label: str, tail: str) -> None:
    assert stated_label(f"{text}\nPredicted Label: {label} {tail.split('=')[0].split(':')[0]}", OPTIONS) == label


@pytest.mark.parametrize("name", taxonomy.names())
def test_every_label_of_every_taxonomy_is_found(name: str) -> None:
    labels = taxonomy.get(name).labels
    assert [stated_label(f"Predicted Label: {label}", labels) for label in labels] == list(labels)


def test_questions_are_worded_as_the_reasoning_sets_word_them() -> None:
    choices = load_prompt("finetune/reasoning").choices
    assert GIVEN in choices["given"]
    assert WITHHELD in choices["withheld"]


def test_label_is_told_or_withheld() -> None:
    told, withheld = (ask(Path("a.png"), ["fear", "awe"], label) for label in ("awe", None))
    assert "evokes awe" in told.text
    assert "fear, awe" in withheld.text
    assert told.options == withheld.options == ("fear", "awe")


def test_answers_do_not_depend_on_the_batch(store: Store, planted: Settings) -> None:
    whole = compose_parts(planted)
    with torch.no_grad():  # untaught, but loud: its answers differ from picture to picture
        for parameter in whole.model.parameters():
            parameter.mul_(4)
    pictures = [Path(planted.raw) / "emoset" / f"p{number}.png" for number in range(5)]
    questions = [ask(path, EMOTIONS[: 3 + number]) for number, path in enumerate(pictures)]
    alone = Reasoner(whole, changed(planted, generation_batch_size=1).mm_llm).answer(questions)
    together = Reasoner(whole, changed(planted, generation_batch_size=4).mm_llm).answer(questions)
    assert [each.text for each in alone] == [each.text for each in together]
    assert len({each.text for each in alone}) > 1
    assert all(each.tokens <= 24 for each in alone)


def test_picture_may_be_an_open_one_and_of_any_mode(store: Store, planted: Settings) -> None:
    whole = compose_parts(planted)
    path = Path(planted.raw) / "emoset" / "p1.png"
    opened = Image.open(path)
    grey = opened.convert("LA")
    from_file, from_memory, from_grey = Reasoner(whole, planted.mm_llm).answer(
        [ask(each, EMOTIONS) for each in (path, opened, grey)]
    )
    assert from_file == from_memory
    assert from_grey.text
