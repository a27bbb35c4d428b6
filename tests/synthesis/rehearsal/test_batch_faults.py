"""What can go wrong with a message batch."""

import anthropic
import httpx2
import orjson
import pytest

from tests.synthesis.rehearsal.talking import talk
from tests.synthesis.rehearsal.test_batches import ended, results, rows
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer


@pytest.mark.parametrize(("fault", "made"), [("batch_lost_creation", 1), ("batch_dropped_creation", 0)])
def test_a_creation_without_a_reply_has_made_a_batch_or_not(server: RunningServer, fault: str, made: int) -> None:
    server.set_faults(Faults.model_validate({fault: "nth:1"}))

    async def scenario(client: anthropic.AsyncAnthropic) -> list[str]:
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.batches.create(requests=rows(4))
        listed = [batch async for batch in client.messages.batches.list()]
        assert all(batch.request_counts.processing in (0, 4) for batch in listed)
        for batch in listed:
            await ended(client, batch.id)
        return [batch.id for batch in listed]

    assert len(talk(server, scenario)) == made
    assert (server.bill().batches_created, server.bill().paid) == (made, 4 * made)


def test_a_client_that_tries_again_by_itself_makes_two_batches_of_a_lost_creation(server: RunningServer) -> None:
    server.set_faults(Faults(batch_lost_creation="nth:1"))

    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = await client.with_options(max_retries=2).messages.batches.create(requests=rows(2))
        await ended(client, made.id)

    talk(server, scenario)
    assert (server.bill().batches_created, server.bill().most_paid) == (2, 2)


def test_a_share_of_requests_ends_errored_or_expired_and_costs_nothing(server: RunningServer) -> None:
    server.set_faults(Faults(batch_errored=0.2, batch_expired=0.2, seed=3))

    async def scenario(client: anthropic.AsyncAnthropic) -> None:
        made = await client.messages.batches.create(requests=rows(100))
        counts = (await ended(client, made.id)).request_counts
        assert min(counts.errored, counts.expired) > 5
        assert counts.succeeded == server.bill().paid == 100 - counts.errored - counts.expired
        for row in await results(client, made.id):
            if row.result.type == "errored":
                assert row.result.error.error.type == "api_error"

    talk(server, scenario)


def test_calls_about_a_batch_fail_as_planned(server: RunningServer) -> None:
    server.set_faults(Faults(batch_call_failed="nth:1,3"))

    async def scenario(client: anthropic.AsyncAnthropic) -> list[bool]:
        made = await client.messages.batches.create(requests=rows(1))
        failed = []
        for _ in range(4):
            try:
                await client.messages.batches.retrieve(made.id)
                failed.append(False)
            except anthropic.InternalServerError:
                failed.append(True)
        return failed

    assert talk(server, scenario) == [True, False, True, False]


@pytest.mark.parametrize("aiohttp", [True, False], ids=["aiohttp", "httpx2"])
def test_results_break_off_in_the_middle_and_come_whole_the_next_time(server: RunningServer, aiohttp: bool) -> None:
    server.set_faults(Faults(batch_results_cut="nth:1"))

    async def scenario(client: anthropic.AsyncAnthropic) -> int:
        made = await client.messages.batches.create(requests=rows(40))
        await ended(client, made.id)
        # Half a line is no JSON; where the transport notices first, it raises its own error.
        with pytest.raises((anthropic.APIConnectionError, httpx2.TransportError, ValueError)):
            await results(client, made.id)
        return len(await results(client, made.id))

    assert talk(server, scenario, aiohttp=aiohttp) == 40


def test_refusals_and_broken_answers_come_in_batches_too(server: RunningServer) -> None:
    server.set_faults(Faults(refused="every:3", cut_off="every:2"))

    async def scenario(client: anthropic.AsyncAnthropic) -> list[str | None]:
        made = await client.messages.batches.create(requests=rows(6))
        await ended(client, made.id)
        found = {row.custom_id: row.result for row in await results(client, made.id)}
        kept = [found[f"row-{n}"] for n in range(6)]
        return [result.message.stop_reason if result.type == "succeeded" else result.type for result in kept]

    assert talk(server, scenario) == ["end_turn", "max_tokens", "refusal", "max_tokens", "end_turn", "refusal"]


def test_results_are_lines_of_json(server: RunningServer) -> None:
    async def scenario(client: anthropic.AsyncAnthropic) -> bytes:
        made = await client.messages.batches.create(requests=rows(5))
        batch = await ended(client, made.id)
        response = await client.get(str(batch.results_url), cast_to=httpx2.Response)
        return await response.aread()

    lines = talk(server, scenario).splitlines()
    assert {orjson.loads(line)["custom_id"] for line in lines} == {f"row-{n}" for n in range(5)}
