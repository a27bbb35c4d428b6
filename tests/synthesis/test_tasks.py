from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data import taxonomy
from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis import tasks
from tinyemo_data.synthesis.order import Draws
from tinyemo_data.synthesis.prompt import load_prompt, prompt_ids
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.tasks import Asked, Setting
from tinyemo_data.synthesis.tasks.notes import names_emotion
from tinyemo_data.synthesis.tasks.reasoning import draw_options

VOCABULARIES = [name for name in taxonomy.names() if name != "sentiment"]
DRAFTED = ("pretrain/caption", "finetune/reasoning", "hq/reasoning", "triggers/detail", "preferences/pair")
PROMPTS = {prompt_id: load_prompt(prompt_id) for prompt_id in prompt_ids()}
SUBJECT = Subject("emoset/image/a", "emoset", "image/a.jpg", "0" * 64, "awe", "mikels8", "annotators",
                  Facts(scene="beach", objects=("dog",), brightness=0.5, width=9, height=9))  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "pretrain/caption": {"caption": "A dog\n\n runs. "},
    "pretrain/vqa": {"question": "Where is\nit?", "answer": "There."},
    "pretrain/sqa": {"question": "What mood?", "answer": "Awe."},
    "finetune/reasoning": {"reasoning": "Reasoning: the sea\nis wide.", "label": "awe"},
    "hq/reasoning": {"observations": ["a sea"], "reasoning": "The sea is wide.", "label": "awe"},
    "dialogue/emotion": {"turns": [{"question": "A?", "answer": "B."}, {"question": "C?", "answer": "D."}]},
    "statements/pair": {"true_statement": "T.", "false_statement": "F.", "what_is_false": "No F here."},
    "triggers/detail": {"detail": "the wave", "answer": "The wave does."},
    "preferences/pair": {"chosen": "Good.", "flaw": "It is bad.", "rejected": "Bad."},
}


def ask(prompt_id: str, draft_id: str = "d", subject: Subject = SUBJECT, withheld_share: float = 0.5) -> Asked:
    return tasks.get(prompt_id).ask(subject, Setting(PROMPTS[prompt_id], Draws(0, draft_id), withheld_share))


def assemble(prompt_id: str, fields: dict[str, Any] | None = None) -> list[tasks.Assembled]:
    return tasks.get(prompt_id).assemble({"question": "Q?"}, FIELDS[prompt_id] if fields is None else fields)


@pytest.mark.parametrize("prompt_id", prompt_ids())
def test_question_depends_on_seed_and_draft_alone(prompt_id: str) -> None:
    assert ask(prompt_id) == ask(prompt_id)
    assert len({repr(ask(prompt_id, str(number))) for number in range(50)}) > 10


@pytest.mark.parametrize("prompt_id", prompt_ids())
def test_task_takes_an_unlabelled_picture_only_when_it_needs_no_label(prompt_id: str) -> None:
    bare = replace(SUBJECT, emotion=None, taxonomy=None, label_origin=None)
    assert tasks.get(prompt_id).needs_label == (prompt_id not in ("pretrain/caption", "pretrain/vqa"))
    if not tasks.get(prompt_id).needs_label:
        assert ask(prompt_id, subject=bare) == ask(prompt_id)


@pytest.mark.parametrize("prompt_id", prompt_ids())
def test_human_turn_is_drafted_where_no_model_writes_it(prompt_id: str) -> None:
    question = ask(prompt_id).question
    assert (question is not None) == (prompt_id in DRAFTED)
    assert question is None or ("{" not in question and "<image>" not in question)


@pytest.mark.parametrize("prompt_id", ["finetune/reasoning", "hq/reasoning"])
@pytest.mark.parametrize("emotion", taxonomy.get("parrott25").labels)
def test_withheld_question_names_the_label_among_its_options_alone_and_a_given_one_beside_them(
    prompt_id: str, emotion: str
) -> None:
    subject = replace(SUBJECT, emotion=emotion, taxonomy="parrott25")
    for number in range(12):
        asked = ask(prompt_id, str(number), subject)
        question = str(asked.question)
        listed = ", ".join(asked.options)
        assert question.count(listed) == 1
        assert (emotion in question.replace(listed, "")) == (asked.variant == "given")


@pytest.mark.parametrize(("share", "expected"), [(0.0, {"given"}), (1.0, {"withheld"})])
def test_variants_follow_the_share_at_its_ends(share: float, expected: set[str]) -> None:
    asked = [ask("finetune/reasoning", str(number), withheld_share=share) for number in range(200)]
    assert {one.variant for one in asked} == expected


def test_half_of_the_questions_withhold_the_label() -> None:
    variants = Counter(ask("finetune/reasoning", str(number)).variant for number in range(4000))
    assert abs(variants["withheld"] - 2000) < 5 * 4000**0.5 / 2


def test_more_withheld_questions_keep_those_that_were() -> None:
    def withheld(share: float) -> set[int]:
        return {n for n in range(300) if ask("hq/reasoning", str(n), withheld_share=share).variant == "withheld"}

    assert withheld(0.3) < withheld(0.6)


@given(st.sampled_from(VOCABULARIES), st.data(), st.text(max_size=9))
def test_options_are_a_shuffled_part_of_the_labels_that_holds_the_right_one(
    vocabulary: str, data: st.DataObject, draft_id: str
) -> None:
    labels = taxonomy.get(vocabulary).labels
    emotion = data.draw(st.sampled_from(labels))
    options = draw_options(labels, emotion, Draws(0, draft_id))
    assert emotion in options
    assert set(options) <= set(labels)
    assert 3 <= len(set(options)) == len(options) <= len(labels)


def test_options_vary_in_number_and_place_of_the_right_one() -> None:
    labels = taxonomy.get("mikels8").labels
    drawn = [draw_options(labels, "awe", Draws(0, str(number))) for number in range(6000)]
    sizes = Counter(map(len, drawn))
    assert sorted(sizes) == [3, 4, 5, 6, 7, 8]
    assert min(sizes.values()) > 850
    places = Counter(options.index("awe") for options in drawn if len(options) == 8)
    assert sorted(places) == list(range(8))
    others = Counter(label for options in drawn for label in options if label != "awe")
    assert max(others.values()) < 1.1 * min(others.values())


def test_hq_offers_all_labels_in_fixed_order() -> None:
    assert {ask("hq/reasoning", str(number)).options for number in range(20)} == {taxonomy.get("mikels8").labels}


def test_no_other_task_offers_options_or_variants() -> None:
    others = [ask(prompt_id) for prompt_id in prompt_ids() if not prompt_id.endswith("/reasoning")]
    assert {(asked.options, asked.variant) for asked in others} == {((), "")}


@pytest.mark.parametrize("prompt_id", ["pretrain/sqa", "preferences/pair"])
def test_question_tells_no_label_where_the_answer_does(prompt_id: str) -> None:
    for number in range(60):
        asked = ask(prompt_id, str(number))
        assert asked.values["emotion"] == "awe"
        assert not names_emotion(asked.question or "")


def test_object_that_names_an_emotion_is_kept_from_a_caption_and_the_others_stay() -> None:
    subject = replace(SUBJECT, facts=Facts(objects=("painting", "joy ride", "dog", "fearsome mask", "a PAIN")))
    notes = [ask("pretrain/caption", str(number), subject).values["attributes"] for number in range(9)]
    assert {"objects": "painting, dog"} in notes
    every = [ask("finetune/reasoning", str(number), subject).values["attributes"] for number in range(9)]
    assert {"objects": "painting, joy ride, dog, fearsome mask, a PAIN"} in every


def test_longer_list_of_wordings_changes_no_other_draw() -> None:
    prompt = PROMPTS["finetune/reasoning"]
    longer = replace(prompt, choices={**prompt.choices, "view": [*prompt.choices["view"], "one more"]})
    for number in range(40):
        before, after = (
            tasks.get(prompt.id).ask(SUBJECT, Setting(one, Draws(0, str(number)), 0.5)) for one in (prompt, longer)
        )
        assert (before.question, before.options, before.variant) == (after.question, after.options, after.variant)


@pytest.mark.parametrize("prompt_id", prompt_ids())
def test_conversations_alternate_and_hold_the_picture_once_at_their_start(prompt_id: str) -> None:
    for record in assemble(prompt_id):
        assert [role for role, _ in record.turns] == ["human", "gpt"] * (len(record.turns) // 2)
        assert record.turns[0][1].startswith("<image>\n")
        assert sum(text.count("<image>") for _, text in record.turns) == 1
        assert all(text == text.strip() and text for _, text in record.turns)


def test_reasoning_ends_with_the_label_that_the_model_stated() -> None:
    expected = "Reasoning: the sea is wide.\nPredicted Label: awe"
    assert assemble("finetune/reasoning")[0].turns == [("human", "<image>\nQ?"), ("gpt", expected)]
    fields = {**FIELDS["hq/reasoning"], "label": "fear"}
    assert assemble("hq/reasoning", fields)[0].turns[1][1].endswith("\nPredicted Label: fear")


def test_statements_become_two_records_with_ids_of_their_own() -> None:
    true, false = assemble("statements/pair")
    assert (true.suffix, false.suffix) == ("/true", "/false")
    assert true.turns == [("human", "<image>\nTrue or false: T."), ("gpt", "True.")]
    assert false.turns == [("human", "<image>\nTrue or false: F."), ("gpt", "False. No F here.")]


def test_dialogue_has_all_its_turns() -> None:
    texts = [text for _, text in assemble("dialogue/emotion")[0].turns]
    assert texts == ["<image>\nA?", "B.", "C?", "D."]


def test_preference_keeps_the_worse_answer_beside_the_better_one() -> None:
    (record,) = assemble("preferences/pair")
    assert (record.turns[1][1], record.rejected) == ("Good.", "Bad.")


def test_other_tasks_give_one_exchange_in_one_line_each() -> None:
    assert assemble("pretrain/caption")[0].turns == [("human", "<image>\nQ?"), ("gpt", "A dog runs.")]
    assert assemble("pretrain/vqa")[0].turns == [("human", "<image>\nWhere is it?"), ("gpt", "There.")]
    assert assemble("triggers/detail")[0].turns[1] == ("gpt", "The wave does.")


TEXTS = st.text(max_size=40)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4), TEXTS)
def test_assembling_takes_any_text_and_keeps_its_words(pairs: list[tuple[str, str]], text: str) -> None:
    turns = [{"question": question, "answer": answer} for question, answer in pairs]
    (record,) = assemble("dialogue/emotion", {"turns": turns})
    words = [word for pair in pairs for part in pair for word in part.split()]
    assert [word for _, said in record.turns for word in said.removeprefix("<image>\n").split()] == words
    for prompt_id in ("pretrain/caption", "finetune/reasoning", "statements/pair", "preferences/pair"):
        fields = dict.fromkeys(FIELDS[prompt_id], text)
        assert assemble(prompt_id, fields) == assemble(prompt_id, fields)


def test_unknown_task_names_the_nearest() -> None:
    with pytest.raises(PromptError, match="Did you mean 'finetune/reasoning'"):
        tasks.get("finetune/reasonings")


@given(st.lists(st.integers(), unique=True, max_size=40), st.integers(0, 50), st.text(max_size=9))
def test_sample_holds_so_many_items_once_and_a_subset_keeps_their_order(
    items: list[int], size: int, draft_id: str
) -> None:
    sample, subset = Draws(3, draft_id).sample("x", items, size), Draws(3, draft_id).subset("x", items)
    assert len(sample) == len(set(sample)) == min(size, len(items))
    assert set(sample) <= set(items)
    assert [item for item in items if item in subset] == subset


@pytest.mark.parametrize("size", [2, 3, 4])
def test_samples_come_in_every_order_about_as_often(size: int) -> None:
    expected = 12 if size == 2 else 24
    orders = Counter(tuple(Draws(0, str(number)).sample("x", "abcd", size)) for number in range(expected * 250))
    assert len(orders) == expected
    assert sum((count - 250) ** 2 / 250 for count in orders.values()) < 49.7  # chi², 23 degrees, p = 0.001


def test_draws_of_different_purposes_and_seeds_are_unlike() -> None:
    numbers = {Draws(seed, draft).number(what) for seed in (0, 1) for draft in "ab" for what in ("x", "y")}
    assert len(numbers) == 8
    assert all(0 <= Draws(0, str(number)).seed() < 2**31 for number in range(100))
