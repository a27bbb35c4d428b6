"""Every fault of single messages, as the vendor's client meets it."""

import time
from collections.abc import Callable

import anthropic
import httpx2
import orjson
import pytest

from tests.synthesis.rehearsal.talking import FORMAT, ask, ask_all, question, send, talk, text_of
from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer

STATUS = {
    "rate_limited": (anthropic.RateLimitError, "rate_limit_error"),
    "overloaded": (anthropic.OverloadedError, "overloaded_error"),
    "server_error": (anthropic.InternalServerError, "api_error"),
    "unauthorised": (anthropic.AuthenticationError, "authentication_error"),
}


@pytest.mark.parametrize(("fault", "expected"), STATUS.items(), ids=STATUS.keys())
def test_a_planned_refusal_raises_the_clients_own_class_and_costs_nothing(
    server: RunningServer, fault: str, expected: tuple[type[anthropic.APIStatusError], str]
) -> None:
    server.set_faults(Faults.model_validate({fault: "nth:2"}))
    first, second, third = ask_all(server, 3)
    assert not isinstance(first, Exception)
    assert not isinstance(third, Exception)
    assert isinstance(second, expected[0])
    assert (second.type, bool(second.request_id)) == (expected[1], True)
    assert server.bill().paid == 2
    assert [call["fault"] for call in server.requests()] == [None, fault, None]
    assert [call["outcome"] for call in server.requests()] == [200, second.status_code, 200]


@pytest.mark.parametrize("told", [None, 0.25, 3], ids=["untold", "fraction", "seconds"])
def test_retry_after_is_told_or_not(server: RunningServer, told: float | None) -> None:
    server.set_faults(Faults(rate_limited=1, retry_after=told))
    with pytest.raises(anthropic.RateLimitError) as refused:
        ask(server, **question())
    found = refused.value.response.headers.get("retry-after")
    assert (None if found is None else float(found)) == told


@pytest.mark.parametrize("aiohttp", [True, False], ids=["aiohttp", "httpx2"])
@pytest.mark.parametrize(("fault", "paid"), [("lost_reply", 1), ("cut_reply", 1), ("dropped", 0)])
def test_a_connection_that_closes_leaves_the_client_in_the_dark(
    server: RunningServer, fault: str, paid: int, aiohttp: bool
) -> None:
    server.set_faults(Faults.model_validate({fault: "nth:1"}))

    async def scenario(client: anthropic.AsyncAnthropic) -> anthropic.types.Message:
        # A reply that breaks off in the middle is the transport's error, not the client's.
        with pytest.raises((anthropic.APIConnectionError, httpx2.TransportError)):
            await client.messages.create(**question())
        message: anthropic.types.Message = await client.messages.create(**question())
        return message

    assert text_of(talk(server, scenario, aiohttp=aiohttp))
    assert server.bill().paid == paid + 1
    assert server.bill().distinct_paid == 1


def test_a_client_that_tries_again_by_itself_pays_twice_for_a_lost_reply(server: RunningServer) -> None:
    server.set_faults(Faults(lost_reply="nth:1"))
    talk(server, lambda client: client.with_options(max_retries=2).messages.create(**question()))
    assert server.bill().most_paid == 2


def test_a_refusal_is_a_reply_with_a_category_and_is_paid(server: RunningServer) -> None:
    server.set_faults(Faults(refused=1, refusal_category="bio"))
    message = ask(server, **question())
    assert (message.stop_reason, message.content) == ("refusal", [])
    assert message.stop_details is not None
    assert message.stop_details.category == "bio"
    assert server.bill().paid == 1


def test_the_same_question_is_refused_every_time_and_others_are_not(server: RunningServer) -> None:
    server.set_faults(Faults(refused=0.3, seed=1))
    first, again = (
        [message.stop_reason for message in ask_all(server, 40) if not isinstance(message, Exception)] for _ in range(2)
    )
    assert first == again
    assert 4 <= first.count("refusal") <= 24


def broken_json(message: anthropic.types.Message) -> bool:
    try:
        orjson.loads(text_of(message))
    except orjson.JSONDecodeError:
        return True
    return False


CONTENT_FAULTS: dict[str, tuple[str, Callable[[anthropic.types.Message], bool]]] = {
    "cut_off": ("max_tokens", broken_json),
    "malformed": ("end_turn", broken_json),
    "off_schema": ("end_turn", lambda message: set(orjson.loads(text_of(message))) == {"unasked"}),
}


@pytest.mark.parametrize("fault", CONTENT_FAULTS)
def test_a_structured_answer_is_broken_as_planned(server: RunningServer, fault: str) -> None:
    stop, is_broken = CONTENT_FAULTS[fault]
    server.set_faults(Faults.model_validate({fault: "every:2"}))
    replies = [message for message in ask_all(server, 4, output_config=FORMAT) if not isinstance(message, Exception)]
    assert [message.stop_reason for message in replies] == ["end_turn", stop, "end_turn", stop]
    assert [set(orjson.loads(text_of(reply))) != {"unasked"} for reply in replies[::2]] == [True, True]
    assert all(is_broken(reply) for reply in replies[1::2])


def test_a_reply_takes_the_latency_and_a_slow_one_more(server: RunningServer) -> None:
    server.set_faults(Faults(latency=0.1, slow="nth:2", slow_seconds=0.3))
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        send(server, "/v1/messages", question())
        seconds.append(time.perf_counter() - started)
    assert seconds[0] >= 0.1
    assert seconds[1] >= 0.4


def test_a_share_of_refusals_by_rate_is_drawn_anew_for_each_request(server: RunningServer) -> None:
    server.set_faults(Faults(rate_limited=0.3, seed=5))
    drawn = [isinstance(outcome, Exception) for outcome in ask_all(server, 100)]
    assert 15 <= sum(drawn) <= 45
    server.set_faults(Faults(rate_limited=0.3, seed=5))
    assert [isinstance(outcome, Exception) for outcome in ask_all(server, 100)] == drawn


def test_faults_are_told_and_changed_while_the_server_runs(server: RunningServer) -> None:
    faults = Faults(overloaded="every:3", latency="lognormal:0.001,0.5", batch_errored=0.25)
    server.set_faults(faults)
    assert server.faults() == faults
    status, _, _ = send(server, "/rehearsal/faults", {"overloaded": 0}, method="PUT")
    assert (status, server.faults()) == (200, Faults())


def test_unknown_faults_are_refused(server: RunningServer) -> None:
    with pytest.raises(RehearsalError, match="overlooded"):
        server._ask("PUT", "faults", {"overlooded": 1})
