"""The life of a message batch, as the vendor's client sees it."""

import asyncio
from typing import Any

import anthropic
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from tests.synthesis.rehearsal.talking import FORMAT, ask_all, question, send, talk
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

PATH = "/v1/messages/batches"


def row(custom_id: str, text: str = "q", **changes: Any) -> Any:
    return {"custom_id": custom_id, "params": question(text, **changes)}


def rows(count: int, **changes: Any) -> list[Any]:
    return [row(f"row-{n}", f"Question {n}", **changes) for n in range(count)]


async def ended(client: anthropic.AsyncAnthropic, batch_id: str) -> MessageBatch:
    for _ in range(500):
        batch = await client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch
        await asyncio.sleep(0.01)
    raise AssertionError("the batch does not end")


async def results(client: anthropic.AsyncAnthropic, batch_id: str) -> list[MessageBatchIndividualResponse]:
    return [row async for row in await client.messages.batches.results(batch_id)]


async def some_paid(server: RunningServer) -> int:
    """Wait until some requests are paid; return how many."""
    for _ in range(500):
        if paid := server.bill().paid:
            return paid
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is paid")


def test_a_batch_answers_each_request_in_another_order_at_half_the_price(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> tuple[MessageBatch, list[MessageBatchIndividualResponse]]:
        made = await client.messages.batches.create(requests=rows(30, output_config=FORMAT))
        assert (made.processing_status, made.request_counts.processing, made.results_url) == ("in_progress", 30, None)
        return await ended(client, made.id), await results(client, made.id)

    batch, found = talk(server, scenario)
    assert (batch.request_counts.succeeded, batch.request_counts.processing) == (30, 0)
    assert batch.ended_at is not None
    assert [row.custom_id for row in found] != [f"row-{n}" for n in range(30)]
    assert {row.custom_id for row in found} == {f"row-{n}" for n in range(30)}
    in_batch = server.bill()
    single = ask_all(server, 30, output_config=FORMAT)
    assert in_batch.usd == pytest.approx((server.bill().usd - in_batch.usd) / 2)
    assert server.paid_times().items() >= {f"row-{n}": 1 for n in range(30)}.items()
    by_id = {row.custom_id: row.result for row in found}
    for number, message in enumerate(single):
        result = by_id[f"row-{number}"]
        assert result.type == "succeeded"
        assert not isinstance(message, Exception)
        assert result.message.content == message.content
        assert result.message.usage.service_tier == "batch"


def test_counts_are_zero_until_the_end(server: RunningServer) -> None:
    server.set_faults(Faults(batch_seconds=1))

    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = await client.messages.batches.create(requests=rows(20))
        assert 0 < await some_paid(server) < 20
        counts = (await client.messages.batches.retrieve(made.id)).request_counts
        assert (counts.processing, counts.succeeded) == (20, 0)
        with pytest.raises(anthropic.AnthropicError, match="finished processing"):
            await client.messages.batches.results(made.id)
        assert (await ended(client, made.id)).request_counts.succeeded == 20

    talk(server, scenario)


def test_a_bad_request_is_found_out_only_in_the_results(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> dict[str, Any]:
        bad = row("bad", temperature=0.5)
        unknown = row("unknown", model="claude-unheard-of")
        made = await client.messages.batches.create(requests=[*rows(2), bad, unknown])
        await ended(client, made.id)
        return {row.custom_id: row.result for row in await results(client, made.id)}

    found = talk(server, scenario)
    assert {key: result.type for key, result in found.items()} == {
        "row-0": "succeeded",
        "row-1": "succeeded",
        "bad": "errored",
        "unknown": "errored",
    }
    assert found["bad"].error.error.type == "invalid_request_error"
    assert "temperature" in found["bad"].error.error.message
    assert found["unknown"].error.error.type == "not_found_error"
    assert server.bill().paid == 2


def test_a_canceled_batch_keeps_and_charges_what_was_done(server: RunningServer) -> None:
    server.set_faults(Faults(batch_seconds=5, batch_cancel_seconds=0.1))

    async def scenario(client: anthropic.AsyncAnthropic) -> tuple[MessageBatch, list[MessageBatchIndividualResponse]]:
        made = await client.messages.batches.create(requests=rows(50))
        await some_paid(server)
        canceling = await client.messages.batches.cancel(made.id)
        assert (canceling.processing_status, canceling.cancel_initiated_at is None) == ("canceling", False)
        return await ended(client, made.id), await results(client, made.id)

    batch, found = talk(server, scenario)
    counts = batch.request_counts
    assert counts.succeeded + counts.canceled == 50
    assert 0 < counts.succeeded < 50
    assert sum(row.result.type == "canceled" for row in found) == counts.canceled
    assert server.bill().paid == counts.succeeded


def test_a_batch_expires_with_what_is_not_done(server: RunningServer) -> None:
    server.set_faults(Faults(batch_seconds=3, batch_expires_after=0.4))

    async def scenario(client: anthropic.AsyncAnthropic) -> MessageBatch:
        made = await client.messages.batches.create(requests=rows(20))
        assert 0 < (made.expires_at - made.created_at).total_seconds() < 1
        return await ended(client, made.id)

    counts = talk(server, scenario).request_counts
    assert 0 < counts.expired < 20
    assert counts.succeeded == server.bill().paid == 20 - counts.expired


def test_creation_is_not_idempotent(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> set[str]:
        made = [await client.messages.batches.create(requests=rows(3)) for _ in range(2)]
        return {(await ended(client, batch.id)).id for batch in made}

    assert len(talk(server, scenario)) == 2
    assert (server.bill().batches_created, server.bill().most_paid) == (2, 2)


def test_batches_are_listed_newest_first_and_page_by_page(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = [(await client.messages.batches.create(requests=rows(1))).id for _ in range(7)]
        newest_first = list(reversed(made))
        assert [batch.id async for batch in client.messages.batches.list(limit=3)] == newest_first
        first = await client.messages.batches.list(limit=3)
        assert ([batch.id for batch in first.data], first.has_more) == (newest_first[:3], True)
        before = await client.messages.batches.list(before_id=newest_first[5], limit=2)
        assert ([batch.id for batch in before.data], before.has_more) == (newest_first[3:5], True)
        last = await client.messages.batches.list(after_id=newest_first[4])
        assert ([batch.id for batch in last.data], last.has_more) == (newest_first[5:], False)
        with pytest.raises(anthropic.BadRequestError, match="limit"):
            await client.messages.batches.list(limit=1_001)

    talk(server, scenario)


def test_a_batch_is_deleted_only_when_it_has_ended(server: RunningServer) -> None:
    server.set_faults(Faults(batch_seconds=0.2))

    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = await client.messages.batches.create(requests=rows(2))
        with pytest.raises(anthropic.BadRequestError, match="finished processing"):
            await client.messages.batches.delete(made.id)
        await ended(client, made.id)
        assert (await client.messages.batches.delete(made.id)).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.batches.retrieve(made.id)

    talk(server, scenario)


BAD_BATCHES: dict[str, tuple[Any, str]] = {
    "no requests": ({}, "requests: Field required"),
    "a number of them": ({"requests": 5}, "requests: Field required"),
    "a list alone": ([], "requests: Field required"),
    "empty": ({"requests": []}, "at least 1 item"),
    "no id": ({"requests": [{"params": question()}]}, "requests.0.custom_id: Field required"),
    "no params": ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
    "long id": ({"requests": [{"custom_id": "a" * 65, "params": question()}]}, "at most 64 characters"),
    "odd id": ({"requests": [{"custom_id": "a b", "params": question()}]}, "should match pattern"),
    "empty id": ({"requests": [{"custom_id": "", "params": question()}]}, "should match pattern"),
    "id with a line's end": ({"requests": [{"custom_id": "a\n", "params": question()}]}, "should match pattern"),
    "same id twice": ({"requests": rows(1) + rows(1)}, "requests.1.custom_id: custom_id must be unique"),
}


@pytest.mark.parametrize(("body", "words"), BAD_BATCHES.values(), ids=BAD_BATCHES.keys())
def test_a_bad_batch_is_refused_as_a_whole(server: RunningServer, body: Any, words: str) -> None:
    status, _, answer = send(server, PATH, body)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert words in answer["error"]["message"]
    assert server.bill().batches_created == 0


def test_a_batch_has_a_limit_of_bytes_and_of_requests() -> None:
    with running_server(batch_bytes=5_000, batch_requests=10) as small:
        status, _, answer = send(small, PATH, {"requests": rows(3, system="x" * 2_000)})
        assert (status, answer["error"]["type"]) == (413, "request_too_large")
        status, _, answer = send(small, PATH, {"requests": rows(11)})
        assert status == 400
        assert "at most 10 items" in answer["error"]["message"]
        assert send(small, PATH, {"requests": rows(10)})[0] == 200


def test_a_large_batch_leaves_the_server_answering(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = await client.messages.batches.create(requests=rows(3_000))
        message = await asyncio.wait_for(client.messages.create(**question("Meanwhile?")), 2)
        assert message.content
        assert (await ended(client, made.id)).request_counts.succeeded == 3_000
        assert len({row.custom_id for row in await results(client, made.id)}) == 3_000

    talk(server, scenario)
