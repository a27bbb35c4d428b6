"""Rows of results become outcomes, whatever stands in them."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthesis.asking import MODEL
from tinyemo_data.synthesis.backends.batches.results import settle_row
from tinyemo_data.synthesis.backends.batches.service import split_lines
from tinyemo_data.synthesis.backends.batches.taking import KEPT_ASIDE, Taking
from tinyemo_data.synthesis.failures import TransientError
from tinyemo_data.synthesis.pricing import price_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["custom_id", "result", "type", "message", "usage", "error", "model", "input_tokens"]),
            inner | st.sampled_from(["succeeded", "errored", "expired", "d0"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


def error(kind: str) -> dict[str, Any]:
    return {"type": "errored", "error": {"type": "error", "error": {"type": kind, "message": "words"}}}


def message(tokens: int = 100) -> dict[str, Any]:
    usage = {"input_tokens": tokens, "output_tokens": 20}
    return {"type": "message", "model": f"{MODEL}-20261021", "content": [], "usage": usage}


def row(digest: str, result: Any) -> bytes:
    return orjson.dumps({"custom_id": digest, "result": result})


def taking(*digests: str, waits: bool = True) -> Taking:
    return Taking("msgbatch_1", [(digest, MODEL, 0.5, waits) for digest in digests], price_of)


@pytest.mark.parametrize(
    ("result", "event", "detail"),
    [
        (error("invalid_request_error"), "failed", "invalid_request_error: words"),
        (error("api_error"), "released", "errored: api_error: words"),
        (error("overloaded_error"), "released", "errored: overloaded_error: words"),
        ({"type": "errored", "error": {"type": "invalid_request_error", "message": "words"}}, "failed", None),
        ({"type": "errored"}, "released", "errored: error: "),
        ({"type": "expired"}, "released", "expired"),
        ({"type": "canceled"}, "released", "canceled"),
    ],
    ids=["own-fault", "api-error", "overloaded", "flat-error", "error-without-words", "expired", "canceled"],
)
def test_row_without_an_answer_costs_nothing_and_is_asked_again_unless_it_is_at_fault(
    result: dict[str, Any], event: str, detail: str | None
) -> None:
    settled = settle_row("d", result, "msgbatch_1", price_of(MODEL), 0.5)
    assert settled is not None
    assert (settled.event, settled.released_usd, settled.usd, settled.reply) == (event, 0.5, 0.0, None)
    assert detail is None or settled.detail == detail


@pytest.mark.parametrize(("errors", "event"), [(0, "released"), (1, "released"), (2, "failed"), (7, "failed")])
def test_request_that_the_service_fails_at_is_given_up_in_its_third_batch(errors: int, event: str) -> None:
    settled = settle_row("d", error("api_error"), "msgbatch_1", price_of(MODEL), 0.5, errors)
    assert settled is not None
    assert (settled.event, settled.released_usd) == (event, 0.5)
    assert "api_error: words" in (settled.detail or "")


def test_expired_request_is_asked_again_however_often_the_service_failed_at_it() -> None:
    settled = settle_row("d", {"type": "expired"}, "msgbatch_1", price_of(MODEL), 0.5, 7)
    assert settled is not None
    assert settled.event == "released"


def test_answered_row_is_kept_raw_at_the_price_of_batches() -> None:
    settled = settle_row("d", {"type": "succeeded", "message": message(10_000)}, "msgbatch_1", price_of(MODEL), 0.5)
    assert settled is not None
    assert settled.reply is not None
    assert orjson.loads(settled.reply.raw) == message(10_000)
    assert (settled.reply.batch_id, settled.reply.model) == ("msgbatch_1", f"{MODEL}-20261021")
    assert settled.usd == pytest.approx(0.5 * (10_000 * 0.10 + 20 * 0.50) / 1e6)


def test_row_is_taken_in_once_and_strangers_are_kept_aside() -> None:
    take = taking("a", "b")
    answered = {"type": "succeeded", "message": message()}
    for line in (
        row("b", answered),
        row("b", answered),
        row("stranger", answered),
        b"{torn",
        row("a", {"type": "new"}),
    ):
        take.take(line)
    assert [one.digest for one in take.settlements] == ["b"]
    assert (take.rows, take.known, take.strays, take.waiting) == (5, 3, 3, ["a"])


def test_what_was_taken_in_before_is_passed_over() -> None:
    take = taking("a", waits=False)
    take.take(row("a", {"type": "expired"}))
    assert (take.settlements, take.known, take.strays) == ([], 1, 0)


def test_strays_without_end_are_counted_and_not_all_kept() -> None:
    take = taking("a")
    for number in range(KEPT_ASIDE + 10):
        take.take(b"%d" % number)
    assert (take.strays, len(take.kept_aside)) == (KEPT_ASIDE + 10, KEPT_ASIDE)


@given(st.lists(JSON.map(orjson.dumps) | st.binary(max_size=30), max_size=8))
def test_any_rows_are_taken_in_or_kept_aside_and_never_crash(lines: list[bytes]) -> None:
    take = taking("d0", "d1")
    for line in lines:
        take.take(line)
    assert take.rows == len(lines)
    assert len(take.settlements) + len(take.waiting) == 2


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda line: b"\n" not in line), max_size=9), st.data())
def test_lines_are_the_same_wherever_the_stream_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert list(split_lines(chunks)) == lines


def test_stream_that_ends_within_a_row_is_a_failure_and_no_row() -> None:
    with pytest.raises(TransientError, match="within a row"):
        list(split_lines([b'{"a": 1}\n{"a"']))
    assert list(split_lines([b'{"a": 1}\n{"a": 2}'])) == [b'{"a": 1}', b'{"a": 2}']
