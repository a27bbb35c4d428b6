import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from tests.synthesis.export.trainer_oracle import (
    TEMPLATES,
    group_by_modality,
    questions_and_answers,
    see_caption,
    see_instruction,
)
from tinyemo_data.errors import InstructFileError
from tinyemo_data.synthesis.export.findings import KEPT, LintReport
from tinyemo_data.synthesis.export.lint import lint, read_tokenizer
from tinyemo_data.synthesis.export.rulebook import RULES

Records = list[dict[str, Any]]


def sample(number: int = 1, question: str = "Which emotion?", answer: str = "Joy: they laugh.") -> dict[str, Any]:
    turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]
    return {"id": f"webemo/{number}", "image": f"webemo/{number}.jpg", "conversations": turns}


def text_only() -> dict[str, Any]:
    turns = [{"from": "human", "value": "Is joy an emotion?"}, {"from": "gpt", "value": "Yes, it is one."}]
    return {"id": "text", "conversations": turns}


def lint_records(folder: Path, records: Any, stage: int = 2, **options: Any) -> LintReport:
    path = folder / "set.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return lint(path, stage, **options)


def with_turns(*turns: tuple[Any, Any]) -> Records:
    conversations = [{"from": role, "value": value} for role, value in turns]
    return [sample(1), sample(2) | {"conversations": conversations}, text_only()]


def asked(question: str = "<image>\nWhich emotion?") -> tuple[str, str]:
    return "human", question


# rule -> (records of which the second breaks it, what the report must say was found)
STAGE_2: dict[str, tuple[Records, str]] = {
    "record_shape": ([sample(1), {"id": "webemo/2", "image": "webemo/2.jpg"}, text_only()], "webemo/2.jpg"),
    "value_text": (with_turns(asked(), ("gpt", 7)), "a int: 7"),
    "turn_order": (with_turns(asked(), ("gpt", "Joy."), ("human", "Why?")), "3 turns: human, gpt, human"),
    "empty_turn": (with_turns(asked(), ("gpt", "  \n")), "turn 2 (gpt)"),
    "image_token_missing": (with_turns(asked("Which emotion?"), ("gpt", "Joy.")), "'Which emotion?'"),
    "image_token_repeated": (with_turns(asked("<image>\n<image>\nWhich?"), ("gpt", "Joy.")), "2 in turns 1"),
    "image_token_misplaced": (with_turns(asked("Which?"), ("gpt", "<image> Joy.")), "in turns 2"),
    "image_token_without_picture": (
        [sample(1), {"id": "two", "conversations": sample()["conversations"]}, text_only()],
        "1 in turns 1",
    ),
    "image_path": ([sample(1), sample(2) | {"image": "/home/author/webemo/2.jpg"}, text_only()], "/home/author"),
    "breaking_text": (with_turns(asked(), ("gpt", "Joy.</s>")), "'</s>' in turn 2"),
    "too_long": (with_turns(asked(), ("gpt", "joyful " * 1200)), "1,792 fit, estimated"),
    "duplicate_id": ([sample(1), sample(2) | {"id": sample(1)["id"]}, text_only()], "webemo/2.jpg"),
    "label_spelling": (with_turns(asked(), ("gpt", "It is cheerfullness.")), "'cheerfullness' in turn 2"),
}
STAGE_1: dict[str, tuple[Records, str]] = {
    "stage1_turns": (with_turns(asked(), ("gpt", "Joy."), ("human", "Why?"), ("gpt", "So."))[:2], "4 turns"),
    "stage1_without_picture": ([sample(1), text_only()], "no `image`"),
    "stage1_question_lost": ([sample(1), sample(2) | {"image": sample(1)["image"]}], "further record of webemo/1.jpg"),
}
WHOLE_FILE: dict[str, tuple[Any, str]] = {
    "json_list": ({"records": []}, "'{'"),
    "no_records": ([], "none"),
    "stage2_without_text_only": ([sample(1), sample(2)], "a picture in all 2"),
    "stage2_without_picture": ([text_only()], "a picture in none of 1"),
}


@pytest.mark.parametrize("rule", [*STAGE_2, *STAGE_1])
def test_lint_names_the_rule_the_record_and_the_find_when_a_record_breaks_it(tmp_path: Path, rule: str) -> None:
    records, found = (STAGE_2 | STAGE_1)[rule]
    report = lint_records(tmp_path, records, stage=1 if rule in STAGE_1 else 2)
    (finding,) = [finding for finding in report.findings if finding.rule == rule]
    assert (finding.record, finding.id) == (2, str(records[1].get("id")))
    assert found in finding.found
    line = str(finding)
    assert all(part in line for part in (str(tmp_path), "record 2", rule, RULES[rule].expected, RULES[rule].mend))


@pytest.mark.parametrize("rule", WHOLE_FILE)
def test_lint_names_the_rule_when_the_file_as_a_whole_breaks_it(tmp_path: Path, rule: str) -> None:
    content, found = WHOLE_FILE[rule]
    report = lint_records(tmp_path, content)
    (finding,) = report.findings
    assert (finding.rule, finding.record) == (rule, None)
    assert found in finding.found


def test_lint_says_nothing_of_good_records_in_both_stages(tmp_path: Path) -> None:
    assert lint_records(tmp_path, [sample(1), sample(2), text_only()]).ok
    assert lint_records(tmp_path, [sample(1), sample(2)], stage=1).ok
    bare = sample(3)
    bare["conversations"][0]["value"] = "<image>"  # as LLaVA's own stage-1 files have it
    assert lint_records(tmp_path, [bare], stage=1).ok


def test_every_rule_is_planted_in_some_test() -> None:
    assert {*STAGE_2, *STAGE_1, *WHOLE_FILE, "image_missing"} == set(RULES)


@pytest.mark.parametrize(
    "image",
    ["/a/b.jpg", "C:/a/b.jpg", "C:\\a\\b.jpg", "a\\b.jpg", "https://a/b.jpg", "../b.jpg", "a/../../b.jpg", "~/b.jpg",
     "", " ", None, 7, ["a.jpg"]],
)  # fmt: skip
def test_lint_reports_image_path_when_it_is_not_below_the_image_folder(tmp_path: Path, image: Any) -> None:
    report = lint_records(tmp_path, [sample() | {"image": image}, text_only()], image_folder=tmp_path)
    assert dict(report.counts) == {"image_path": 1}


@pytest.mark.parametrize("image", ["a.jpg", "emotion6/images/joy/1.jpg", "unbiasedemo/a dog/b..c.jpg", "x/…é.jpg"])
def test_lint_takes_any_relative_path(tmp_path: Path, image: str) -> None:
    assert lint_records(tmp_path, [sample() | {"image": image}, text_only()]).ok


def test_lint_reports_image_missing_when_a_folder_is_given_and_the_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "webemo").mkdir()
    (tmp_path / "webemo/1.jpg").write_bytes(b"picture")
    (tmp_path / "webemo/2.jpg").mkdir()
    report = lint_records(tmp_path, [sample(1), sample(2), sample(3), text_only()], image_folder=tmp_path)
    assert [(finding.rule, finding.record) for finding in report.findings] == [
        ("image_missing", 2),
        ("image_missing", 3),
    ]


@pytest.mark.parametrize("mark", [" ASSISTANT: ", "</s>", "<|endoftext|>", "<|im_end|>", "<eos>", "\ud83d"])
@pytest.mark.parametrize("where", ["{}b", "a{}b", "a{}"])
def test_lint_reports_breaking_text_wherever_the_mark_is(tmp_path: Path, mark: str, where: str) -> None:
    records = [sample(1, question=where.format(mark)), sample(2, answer=where.format(mark)), text_only()]
    assert lint_records(tmp_path, records).counts == {"breaking_text": 2}


def test_lint_counts_tokens_when_a_tokenizer_is_given(tmp_path: Path) -> None:
    class OneAWord:
        def encode(self, text: str) -> list[str]:
            return text.split()

    class OneACharacter:
        def encode(self, text: str) -> Any:
            return type("Encoding", (), {"ids": list(text)})()

    records = [sample(1, answer="unbelievable " * 600), text_only()]
    assert lint_records(tmp_path, records).counts == {"too_long": 1}
    assert lint_records(tmp_path, records, tokenizer=OneAWord()).ok
    (finding,) = lint_records(tmp_path, records, tokenizer=OneACharacter()).findings
    assert "where 1,792 fit" in finding.found
    assert "estimated" not in finding.found


def test_read_tokenizer_reads_a_models_folder_and_names_what_is_none(tmp_path: Path) -> None:
    Tokenizer(WordLevel({"joy": 0}, unk_token="joy")).save(str(tmp_path / "tokenizer.json"))
    tokenizer = read_tokenizer(tmp_path)
    assert lint_records(tmp_path, [sample(1, answer="x" * 9000), text_only()], tokenizer=tokenizer).ok
    (tmp_path / "other.json").write_text("{}")
    for path in (tmp_path / "other.json", tmp_path / "absent"):
        with pytest.raises(InstructFileError, match="can't be read as a tokenizer"):
            read_tokenizer(path)


def test_lint_gives_text_without_picture_the_tokens_of_the_picture_too(tmp_path: Path) -> None:
    class OneACharacter:
        def encode(self, text: str) -> list[str]:
            return list(text)

    long = "x" * 1700  # with the system's sentence between 1,792 and 2,048
    alone = text_only() | {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": long}]}
    report = lint_records(tmp_path, [sample(answer=long), alone], tokenizer=OneACharacter())
    assert [finding.record for finding in report.findings] == [1]


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        ("Reasoning: So.\nPredicted Label: joy", True),
        ("Reasoning: So.\nPredicted Label: irritability", True),
        ("Reasoning: So.\nPredicted Label: Joy", False),
        ("Reasoning: So.\nPredicted Label: sad", False),
        ("Reasoning: So.\nPredicted Label: joyfulness", False),
        ("İ".join(["x"] * 30) + "\nPredicted Label: joy", True),
        ("Predicted Label: Joy\npredicted label: joy", True),
        ("Predicted Label: joy\npredicted label: Joy", False),
        ("A sad scene, and the label of the content bottle is readable.", True),
        ("Irritabilty is what it evokes.", False),
    ],
)
def test_lint_reports_label_spelling_in_predicted_labels_and_of_misspelt_words(
    tmp_path: Path, answer: str, ok: bool
) -> None:
    assert lint_records(tmp_path, [sample(answer=answer), text_only()]).ok == ok


def test_lint_takes_one_id_for_records_of_one_picture(tmp_path: Path) -> None:
    records = [sample(1), sample(1), text_only()]
    assert lint_records(tmp_path, records).ok


@pytest.mark.parametrize(("task", "ok"), [("caption", True), ("caption~2", True), ("vqa", False),
                                          ("sqa~3", False), ("pair/true", False), ("1", True)])  # fmt: skip
def test_lint_knows_by_its_id_a_record_whose_question_stage_1_would_lose(tmp_path: Path, task: str, ok: bool) -> None:
    report = lint_records(tmp_path, [sample() | {"id": f"webemo/1#{task}"}], stage=1)
    assert report.counts == ({} if ok else {"stage1_question_lost": 1})


def test_lint_keeps_a_handful_of_findings_a_rule_and_counts_all(tmp_path: Path) -> None:
    records = [sample(number, answer="</s>") for number in range(KEPT + 5)]
    report = lint_records(tmp_path, [*records, text_only()])
    assert report.counts == {"breaking_text": KEPT + 5}
    assert len(report.findings) == KEPT
    lines = list(report.lines())
    assert "26 records, 1 without picture: 25 to mend" in lines[0]
    assert "5 more like this" in lines[-1]


def test_lint_reports_what_it_saw_before_a_file_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps([sample(1, answer="</s>"), sample(2)])[:-10])
    report = lint(path, 2)
    assert report.counts == {"breaking_text": 1, "json_list": 1}


def test_lint_refuses_a_file_that_is_not_there_and_another_stage(tmp_path: Path) -> None:
    with pytest.raises(InstructFileError, match="no such file"):
        lint(tmp_path / "absent.json", 2)
    with pytest.raises(InstructFileError, match="choose one of them"):
        lint_records(tmp_path, [sample()], stage=3)


MARKS = ["<image>", "<image>\n", "</s>", "<|endoftext|>", "<eos>", "<|im_end|>", " ASSISTANT: ", "ASSISTANT:",
         " ASSISTANT:", "ASSISTANT: ", "USER: ", "</s", "<image", "é"]  # fmt: skip
WORDS = st.text("ab <>/:\n", min_size=1, max_size=12)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a good record, half of the time with a mark, a role or a turn that it should not have."""
    has_picture = draw(st.booleans())
    turns = [{"from": role, "value": draw(WORDS)} for _ in range(draw(st.integers(1, 3))) for role in ("human", "gpt")]
    if has_picture:
        turns[0]["value"] = "<image>\n" + turns[0]["value"]
    turn = draw(st.sampled_from(turns))
    fault = draw(st.sampled_from(["none", "none", "none", "mark", "role", "turn"]))
    if fault == "mark":
        place = draw(st.integers(0, len(turn["value"])))
        turn["value"] = turn["value"][:place] + draw(st.sampled_from(MARKS)) + turn["value"][place:]
    elif fault == "role":
        turn["from"] = draw(st.sampled_from(["human", "gpt", "system"]))
    elif fault == "turn":
        turns.remove(turn)
    return {"id": "x", "conversations": turns} | ({"image": "x.jpg"} if has_picture else {})


@given(records())
def test_what_passes_the_linter_trains_on_exactly_its_answers_in_every_template(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
) -> None:
    folder, others, turns = tmp_path_factory.mktemp("lint"), [sample(7), text_only()], record["conversations"]
    if lint_records(folder, [record, *others]).ok:
        group_by_modality([record, *others])
        for template in TEMPLATES:
            seen = see_instruction(record, template)
            assert seen.trained == questions_and_answers(turns)[1]
            assert seen.pictures == seen.prompt.partition(" ASSISTANT: ")[0].count("<image>") == int("image" in record)
    if lint_records(folder, [record], stage=1).ok:
        seen = see_caption(record)
        assert seen.trained == [f"{turns[1]['value']}\n"]
        assert seen.pictures == 1


def breaks_oracle(check: Callable[[], object]) -> bool:
    try:
        return check() is False
    except (AssertionError, ValueError):
        return True


@pytest.mark.parametrize("rule", ["turn_order", "breaking_text", "image_token_misplaced", "image_token_repeated",
                                  "image_token_missing", "image_token_without_picture"])  # fmt: skip
def test_what_the_linter_reports_does_go_wrong_in_the_trainer(rule: str) -> None:
    record = STAGE_2[rule][0][1]

    def trains_well() -> bool:
        seen = see_instruction(record, "llama")
        answers = questions_and_answers(record["conversations"])[1]
        before = seen.prompt.partition(" ASSISTANT: ")[0]
        return seen.trained == answers and seen.pictures == before.count("<image>") == int("image" in record)

    # A repeated token is merged by this trainer's own template; LLaVA's shifts the pictures.
    assert breaks_oracle(trains_well) == (rule != "image_token_repeated")


@pytest.mark.parametrize("rule", ["stage2_without_text_only", "stage2_without_picture"])
def test_the_sampler_does_stop_where_the_linter_misses_a_modality(rule: str) -> None:
    assert breaks_oracle(lambda: group_by_modality(WHOLE_FILE[rule][0]))
