"""Which pictures are drawn, and what is asked about them under each condition."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.reasoning.pictures import picture, said
from tinyemo_data.evaluation.reasoning.answering import answer_conditions, questions_of, shuffled_paths
from tinyemo_data.evaluation.reasoning.conditions import CONDITIONS, CONTRASTS, GIVEN, PREDICTED, SHUFFLED, WITHHELD
from tinyemo_data.evaluation.reasoning.held_out import commonest_shares, draw_evenly
from tinyemo_data.mm_llm.question import Question
from tinyemo_data.mm_llm.reasoning import Answer
from tinyemo_data.progress import Report
from tinyemo_data.synthesis.subject import Facts, Subject


def subject(dataset: str, number: int, emotion: str = "fear") -> Subject:
    return Subject(f"{dataset}/{number}", dataset, f"{number}.png", "0" * 64, emotion, "mikels8", "annotators", Facts())


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 3))
@settings(deadline=None)
def test_draw_is_even_over_datasets_and_a_smaller_one_is_its_beginning(sizes: list[int], limit: int, seed: int) -> None:
    subjects = [subject(f"d{place}", number) for place, size in enumerate(sizes) for number in range(size)]
    drawn = draw_evenly(subjects, limit, seed)
    counts = Counter(one.dataset for one in drawn)
    assert len(drawn) == len({one.sample_id for one in drawn}) == min(limit, len(subjects))
    fullest = max(counts.values())
    assert all(counts[f"d{place}"] >= min(size, fullest - 1) for place, size in enumerate(sizes))
    assert draw_evenly(subjects[::-1], limit, seed) == drawn
    assert draw_evenly(subjects, limit // 2, seed) == drawn[: limit // 2]


def test_commonest_share_is_of_all_labels_of_a_dataset() -> None:
    subjects = [subject("fi", 0), subject("fi", 1), subject("fi", 2, "awe"), subject("emoset", 0)]
    assert commonest_shares(subjects) == {"fi": pytest.approx(2 / 3), "emoset": 1.0}


@given(st.integers(2, 30), st.integers(0, 5))
@settings(deadline=None)
def test_shuffling_gives_every_picture_to_another(count: int, seed: int) -> None:
    pictures = [picture(number) for number in range(count)]
    paths = shuffled_paths(pictures, seed)
    assert sorted(paths) == sorted(one.path for one in pictures)
    assert all(path != one.path for path, one in zip(paths, pictures, strict=True))


def test_each_condition_tells_its_label_and_shows_its_picture() -> None:
    pictures = [picture(0, "fear", "awe"), picture(1, "anger", "disgust")]
    given, predicted, withheld = (questions_of(one, pictures, 0) for one in (GIVEN, PREDICTED, WITHHELD))
    assert "evokes fear" in given[0].text
    assert "evokes awe" in predicted[0].text
    assert "evokes" not in withheld[0].text
    assert all(label in withheld[0].text for label in pictures[0].options)
    shuffled = questions_of(SHUFFLED, pictures, 0)
    assert [one.text for one in shuffled] == [one.text for one in withheld]
    assert [one.picture for one in shuffled] == [pictures[1].path, pictures[0].path]


class Echo:
    """Says its question again."""

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Answer]:
        """Return an answer a question."""
        del report
        return [Answer(f"{one.picture} {one.text}", None, 1, True) for one in questions]


def test_answers_come_back_to_their_condition_and_picture() -> None:
    pictures = [picture(number) for number in range(3)]
    found = answer_conditions(Echo(), [GIVEN, SHUFFLED], pictures, 0)
    assert list(found) == [GIVEN, SHUFFLED]
    assert [one.text.split()[0] for one in found[GIVEN]] == ["p0.png", "p1.png", "p2.png"]
    shown = zip(found[SHUFFLED], shuffled_paths(pictures, 0), strict=True)
    assert all(one.text == f"{path} {one.question}" for one, path in shown)


def test_answers_without_a_label_say_whether_they_name_none_or_several() -> None:
    assert [said(text).named for text in ("A cat.", "awe or fear", "Predicted Label: awe")] == [
        "none",
        "several",
        "one",
    ]


def test_contrasts_are_between_rows_of_the_table_and_keys_are_unique() -> None:
    assert {one for pair in CONTRASTS for one in pair} <= set(CONDITIONS)
    assert len({one.key for one in CONDITIONS}) == len({one.title for one in CONDITIONS}) == len(CONDITIONS)
