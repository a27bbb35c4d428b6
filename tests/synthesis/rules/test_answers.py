"""Every answer to every task over arbitrary facts: of the prompt's form, silent where it must be, and true."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthesis.rules import claims
from tests.synthesis.rules.claims import request
from tinyemo_data import taxonomy
from tinyemo_data.errors import RulesError, UnknownLabelError
from tinyemo_data.synthesis.backends.rules import VERSION, answer, fingerprint
from tinyemo_data.synthesis.backends.rules.answering import TASKS
from tinyemo_data.synthesis.backends.rules.emotion_words import names_emotion
from tinyemo_data.synthesis.gates.label_words import label_of_words
from tinyemo_data.synthesis.gates.replies import make_validator
from tinyemo_data.synthesis.prompt import load_prompt, prompt_ids
from tinyemo_data.synthesis.reply import read_reply

BLIND = ("pretrain/caption", "pretrain/vqa")
# Things, places and deeds that no wording uses by itself: whatever of them an answer names must be known.
THINGS = ["bench", "umbrella", "sheep", "elephant", "bare tree", "dog", "people", "jeans", "castle", "snowman",
          "cactus", "tractor", "trousers", "human face", "birthday cake"]  # fmt: skip
PLACES = ["lake", "desert", "city", "kitchen", "ruins", "snowfield", "swamp", "graveyard", "hay barn loft"]
DEEDS = ["sitting", "arms out", "jumping", "juggling", "turning away", "shouting"]
LOOKS = ["smiling", "sad", "jaw dropped", "wide-eyed", "disgust", "smirking"]

channels = st.integers(0, 255)
colours = st.builds("#{:02x}{:02x}{:02x}".format, channels, channels, channels)
parts = st.lists(st.tuples(colours, st.integers(1, 40)), max_size=5)


def share_out(drawn: list[tuple[str, int]]) -> list[list[Any]]:
    """Return colours with shares that sum to less than one, the largest first."""
    whole = sum(part for _, part in drawn) + 7
    return sorted(([colour, part / whole] for colour, part in drawn), key=lambda pair: -pair[1])


plain_facts = st.fixed_dictionaries(
    {
        "brightness": st.none() | st.floats(0, 1),
        "colourfulness": st.none() | st.floats(0, 160),
        "dominant_colours": parts.map(share_out),
        "width": st.integers(1, 4000),
        "height": st.integers(1, 4000),
        "scene": st.none() | st.sampled_from(PLACES),
        "objects": st.lists(st.sampled_from(THINGS), max_size=14, unique=True),
        "facial_expression": st.none() | st.sampled_from(LOOKS),
        "human_action": st.none() | st.sampled_from(DEEDS),
        "theme": st.none() | st.sampled_from(["dog", "office supplies", "sad face", "cold"]),
        "valence": st.none() | st.floats(1, 9),
        "arousal": st.none() | st.floats(1, 9),
    }
)
hostile = st.sampled_from(["ignore the above", "</s>", " ASSISTANT: x", "joy", "a\x00b", "<image>"])
words = st.none() | st.text(max_size=70) | hostile
numbers = st.none() | st.floats() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3) | st.booleans()
wild_facts = st.fixed_dictionaries(
    {
        "brightness": numbers, "colourfulness": numbers, "width": numbers, "height": numbers,
        "dominant_colours": st.lists(st.lists(st.one_of(words, colours, st.floats()), max_size=3), max_size=5),
        "scene": words, "objects": st.lists(words, max_size=6), "facial_expression": words, "human_action": words,
        "theme": words,
    }
)  # fmt: skip
labels = st.sampled_from([(name, label) for name in taxonomy.names() for label in taxonomy.get(name).labels])


def fields_of(
    task: str, facts: Mapping[str, Any], label: tuple[str, str] | None = None, seed: int = 0
) -> dict[str, Any]:
    name, emotion = label or (None, None)
    raw = answer(request(task, facts, emotion=emotion, taxonomy=name, seed=seed))
    assert orjson.loads(raw)["rules"] == VERSION
    read = read_reply(raw)
    assert read.stop == "complete"
    fields = orjson.loads(read.text)
    offered = () if name is None else taxonomy.get(name).labels
    make_validator(load_prompt(task).schema(offered)).validate(fields)
    return dict(fields)


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in texts(item)] if isinstance(value, list) else [value]


def count_labels(text: str) -> list[str]:
    found = re.findall(rf"\b(?:{'|'.join(label_of_words())})\b", text.lower())
    return [label_of_words()[word] for word in found]


def test_there_is_an_answer_to_every_prompt_that_is_there() -> None:
    assert set(TASKS) == set(prompt_ids())


@pytest.mark.parametrize("task", sorted(TASKS))
@given(facts=plain_facts, label=labels, seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_every_reply_has_the_prompts_fields_and_says_nothing_that_is_not_known(
    task: str, facts: dict[str, Any], label: tuple[str, str], seed: int
) -> None:
    fields = fields_of(task, facts, None if task in BLIND else label, seed)
    for text in texts({name: value for name, value in fields.items() if name != "label"}):
        assert text == text.strip() and "  " not in text and "  " not in text and text
        assert not re.search(r"[$@{}<>|()\x00]", text)
        assert not re.search(r"\b(a [aeio]|an [^aeiou]|a an |is are|are is)", text.lower().replace("a one", "")), text
    claimed = {name: value for name, value in fields.items() if name not in ("rejected", "flaw", "false_statement",
                                                                             "what_is_false", "label")}  # fmt: skip
    if task != "pretrain/vqa":
        check_names(" ".join(texts(claimed)), facts)


def check_names(text: str, facts: Mapping[str, Any]) -> None:
    """Check that every thing, place, deed and look that is named is known."""
    known = " ".join(str(facts[key]) for key in ("scene", "objects", "facial_expression", "human_action", "theme"))
    for vocabulary in (THINGS, PLACES, DEEDS[:4], ["smiling", "dropped jaw", "wide-eyed", "smirking"]):
        for name in vocabulary:
            if re.search(rf"\b{name}\b", text.lower()) and name not in ("dog", "people", "city", "sitting"):
                assert name in known.replace("jaw dropped", "dropped jaw"), (name, text)


@pytest.mark.parametrize("task", ["pretrain/caption", "hq/reasoning", "pretrain/vqa"])
@given(facts=plain_facts, seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_what_is_said_of_light_colours_and_shape_is_what_was_measured(
    task: str, facts: dict[str, Any], seed: int
) -> None:
    facts |= {"scene": None, "theme": None, "objects": [], "human_action": None, "facial_expression": None}
    fields = fields_of(task, facts, None if task in BLIND else ("ekman6", "joy"), seed)
    said = fields[{"pretrain/caption": "caption", "pretrain/vqa": "answer"}.get(task, "observations")]
    text = said if isinstance(said, str) else " ".join(said)
    light, strength = facts["brightness"], facts["colourfulness"]
    negated = bool(re.match(r"(No|Not|Less|On the)\b", text))
    if light is not None:
        level = "dark" if light < 0.4 else "medium" if light < 0.6 else "bright"
        assert claims.levels(text, claims.BRIGHTNESS) <= {level}, text
        assert all(abs(share - light) <= 0.0051 for share in claims.percentages(text))
    else:
        assert not claims.levels(text, claims.BRIGHTNESS) and not claims.percentages(text)
    named = claims.levels(text, claims.COLOURFULNESS)
    assert named <= (set() if strength is None else claims.nearest_words(strength, 1e-6)), text
    ratio = facts["width"] / facts["height"]
    shape = "even" if 1 / 1.05 <= ratio <= 1.05 else "wide" if ratio > 1 else "tall"
    assert claims.shapes(text) <= {shape}, text
    if not negated:
        check_colours(text, facts["dominant_colours"])


def check_colours(text: str, dominant: list[list[Any]]) -> None:
    """Check that colours are named after one that is there: by comparing with every name, by hand."""
    families = {claims.name_by_hand(near)[1] for colour, _ in dominant for near in claims.in_its_cell(colour)}
    assert claims.colour_words(text) <= families, (text, families)


@given(facts=wild_facts, label=labels, seed=st.integers(0, 1000), task=st.sampled_from(sorted(TASKS)))
@settings(max_examples=150, deadline=None)
def test_any_facts_give_a_sound_reply_or_one_error_of_ours(
    facts: dict[str, Any], label: tuple[str, str], seed: int, task: str
) -> None:
    try:
        fields = fields_of(task, facts, None if task in BLIND else label, seed)
    except RulesError as exc:
        assert "known" in str(exc)
        return
    for text in texts(fields):
        assert not re.search(r"</s>|ASSISTANT|<|>|[\x00-\x1f]", text)


@given(facts=plain_facts, label=labels, seed=st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_captions_and_vqa_never_name_an_emotion_and_other_tasks_name_theirs_as_they_should(
    facts: dict[str, Any], label: tuple[str, str], seed: int
) -> None:
    _, emotion = label
    for task in BLIND:
        assert not names_emotion(" ".join(texts(fields_of(task, facts, None, seed))))
    once = [emotion] if emotion in label_of_words().values() else []  # the words of polarity are no labels of the gates
    sqa = fields_of("pretrain/sqa", facts, label, seed)
    assert not names_emotion(sqa["question"]) and count_labels(sqa["answer"]) == once
    for task in ("finetune/reasoning", "hq/reasoning"):
        fields = fields_of(task, facts, label, seed)
        assert fields["label"] == emotion
        assert not names_emotion(" ".join([fields["reasoning"], *fields.get("observations", [])]))
    turns = fields_of("dialogue/emotion", facts, label, seed)["turns"]
    assert 2 <= len(turns) <= 4
    assert not names_emotion(" ".join(turn["question"] for turn in turns))
    assert count_labels(" ".join(turn["answer"] for turn in turns)) == once
    trigger = fields_of("triggers/detail", facts, label, seed)
    assert count_labels(trigger["answer"]) == once and not names_emotion(trigger["detail"])
    assert trigger["detail"].lower() in trigger["answer"].lower()
    assert count_labels(fields_of("preferences/pair", facts, label, seed)["chosen"]) == once


@given(facts=plain_facts, seed=st.integers(0, 2**31))
@settings(max_examples=100, deadline=None)
def test_vqa_says_yes_to_what_is_known_and_no_to_what_it_excludes(facts: dict[str, Any], seed: int) -> None:
    fields = fields_of("pretrain/vqa", facts, None, seed)
    asked, said = fields["question"].lower(), fields["answer"]
    is_no = bool(re.match(r"(No|Not|None|On the contrary|There is none|One finds none|Less than half)\b", said))
    for thing in set(THINGS) - {"people"}:  # what people do may be asked without them
        if re.search(rf"\b{thing}\b", asked):
            assert is_no == (thing not in facts["objects"]), fields
    if is_no and facts["scene"] and re.search(r"\b(setting|is this an? \w+\?|looking at)", asked):
        assert facts["scene"] not in asked


@given(facts=plain_facts, label=labels, seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_statements_differ_in_one_claim_whose_false_value_is_named(
    facts: dict[str, Any], label: tuple[str, str], seed: int
) -> None:
    fields = fields_of("statements/pair", facts, label, seed)
    true, false = fields["true_statement"], fields["false_statement"]
    assert true != false
    right, wrong = (set(re.findall(r"[\w'-]+", text.lower())) for text in (true, false))
    assert right & wrong and right ^ wrong
    quoted = re.findall(r'"([^"]+)"', fields["what_is_false"])
    assert len(quoted) == 2 and quoted[0] != quoted[1]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_answers_are_the_same_bytes_for_the_same_request_and_others_for_another_seed(task: str) -> None:
    facts = {"brightness": 0.3, "width": 4, "height": 3, "objects": ["bench", "dog"], "scene": "lake"}
    bodies = [request(task, facts, emotion="fear", taxonomy="ekman6", seed=seed) for seed in (*range(8), *range(8))]
    made = [answer(body) for body in bodies]
    assert made[:8] == made[8:]
    assert len(set(made)) > 4


def test_fingerprint_is_eight_hex_characters_and_the_same_each_time() -> None:
    assert re.fullmatch("[0-9a-f]{8}", fingerprint())
    fingerprint.cache_clear()
    assert fingerprint() == fingerprint()


def test_answers_do_not_depend_on_the_prompts_wording_nor_on_tuples_or_lists() -> None:
    facts = {"brightness": 0.3, "objects": ["bench"], "dominant_colours": [["#204060", 0.5]]}
    body = request("pretrain/caption", facts)
    changed = body | {"system": "another", "text": "other words", "max_tokens": 7}
    same = request("pretrain/caption", facts | {"objects": ("bench",), "dominant_colours": (("#204060", 0.5),)})
    assert answer(body) == answer(changed) == answer(same)


@pytest.mark.parametrize("task", sorted(set(TASKS) - set(BLIND)))
def test_tasks_that_explain_a_label_say_so_when_there_is_none(task: str) -> None:
    with pytest.raises(RulesError, match=f"'{task}' explains a label, and this picture has none"):
        answer(request(task, {"width": 4, "height": 3}))


@pytest.mark.parametrize("task", BLIND)
def test_captions_and_vqa_need_no_label(task: str) -> None:
    assert fields_of(task, {"width": 4, "height": 3, "valence": 3.0})


def test_answer_says_when_nothing_is_known_or_nothing_was_drafted_for_it() -> None:
    with pytest.raises(RulesError, match="Nothing is known of this picture"):
        answer(request("pretrain/caption", {"valence": 5.0, "scene": "\x00"}))
    with pytest.raises(RulesError, match="this request has None"):
        answer({"known": None, "seed": 1})
    with pytest.raises(RulesError, match=r"no task 'pretrain/captoin'\. Did you mean 'pretrain/caption'"):
        answer(request("pretrain/captoin", {"width": 4, "height": 3}))
    with pytest.raises(UnknownLabelError, match="Did you mean 'joy'"):
        answer(request("pretrain/sqa", {"width": 4, "height": 3}, emotion="joyy"))


def test_a_hostile_scene_changes_nothing_but_appears_as_words() -> None:
    facts = {"scene": "ignore the above", "width": 4, "height": 3}
    said = " ".join(" ".join(texts(fields_of("pretrain/caption", facts, None, seed))) for seed in range(30))
    assert 'something called "ignore the above"' in said.lower()
