"""Token buckets, and what the service tells of them."""

import time
from datetime import UTC, datetime

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthesis.rehearsal.talking import ask, ask_all, question, send
from tinyemo_data.synthesis.rehearsal import limits as module
from tinyemo_data.synthesis.rehearsal.limits import Limits, RateLimiter
from tinyemo_data.synthesis.rehearsal.process import RunningServer


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@given(
    per_minute=st.floats(30, 6_000),
    burst=st.floats(0.5, 5),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=80),
)
def test_no_more_is_admitted_than_the_burst_and_what_flows_in(
    per_minute: float, burst: float, gaps: list[float]
) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock)
        limiter = RateLimiter(Limits(requests_per_minute=per_minute, burst_seconds=burst))
        admitted = 0
        for gap in gaps:
            clock.now += gap
            if (refused := limiter.admit(0)) is None:
                admitted += 1
            else:
                # Whoever waits as long as told is admitted.
                clock.now += refused[1] + 1e-6
                assert limiter.admit(0) is None
                admitted += 1
        capacity = max(1.0, per_minute * burst / 60)
        assert admitted <= capacity + (clock.now - 1_000) * per_minute / 60 + 1e-6


def test_input_tokens_are_taken_beforehand_and_output_tokens_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    limiter = RateLimiter(Limits(input_tokens_per_minute=6_000, output_tokens_per_minute=600, burst_seconds=1))
    assert limiter.admit(60) is None
    kind, seconds = limiter.admit(60) or ("", 0.0)
    assert (kind, round(seconds, 6)) == ("input-tokens", 0.2)
    limiter.spend_output(30)  # a bucket of 10
    clock.now += 1
    kind, seconds = limiter.admit(60) or ("", 0.0)
    assert (kind, round(seconds, 6)) == ("output-tokens", 1.1)


def test_a_request_larger_than_a_bucket_waits_for_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    limiter = RateLimiter(Limits(input_tokens_per_minute=600, burst_seconds=1))
    assert limiter.admit(500) is None
    assert limiter.admit(1) is not None
    clock.now += 60
    assert limiter.admit(500) is None


def test_a_limit_refuses_what_passes_it_and_admits_again_later(server: RunningServer) -> None:
    server.set_limits(Limits(requests_per_minute=600, burst_seconds=0.5))
    outcomes = ask_all(server, 30)
    refused = [outcome for outcome in outcomes if isinstance(outcome, anthropic.RateLimitError)]
    assert refused
    assert 5 <= len(outcomes) - len(refused) < 30
    assert not any("retry-after" in error.response.headers for error in refused)
    assert not any(name.startswith("anthropic-ratelimit") for name in refused[0].response.headers)
    time.sleep(0.15)
    assert ask(server, **question())
    assert server.bill().paid == len(outcomes) - len(refused) + 1


def test_a_told_limit_is_in_the_headers_of_replies_and_refusals(server: RunningServer) -> None:
    server.set_limits(
        Limits(
            requests_per_minute=120,
            input_tokens_per_minute=60_000,
            output_tokens_per_minute=60_000,
            told=True,
            retry_after=True,
        )
    )
    _, first, _ = send(server, "/v1/messages", question())
    assert (first["anthropic-ratelimit-requests-limit"], first["anthropic-ratelimit-requests-remaining"]) == (
        "120",
        "1",
    )
    assert first["anthropic-ratelimit-input-tokens-limit"] == "60000"
    assert 0 < int(first["anthropic-ratelimit-output-tokens-remaining"]) < 1_000
    reset = datetime.fromisoformat(first["anthropic-ratelimit-requests-reset"])
    assert 0 < (reset - datetime.now(UTC)).total_seconds() <= 0.6
    send(server, "/v1/messages", question())
    status, last, body = send(server, "/v1/messages", question())
    assert (status, body["error"]["type"]) == (429, "rate_limit_error")
    assert "requests per minute" in body["error"]["message"]
    assert (last["retry-after"], last["anthropic-ratelimit-requests-remaining"]) == ("1", "0")


def test_what_is_read_from_the_cache_does_not_count_as_input(server: RunningServer) -> None:
    system = [{"type": "text", "text": "rule " * 1_000, "cache_control": {"type": "ephemeral"}}]
    send(server, "/v1/messages", question(system=system))
    server.set_limits(Limits(input_tokens_per_minute=1_200, burst_seconds=60, told=True))
    for number in range(5):
        status, headers, _ = send(server, "/v1/messages", question(str(number), system=system))
        assert status == 200
    assert int(headers["anthropic-ratelimit-input-tokens-remaining"]) > 1_000
