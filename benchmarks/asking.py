"""Asking at full speed: every reply durable, against bare loops that keep nothing, in one run.

    python -m benchmarks.asking [--requests 10000]

A local server of its own process answers after 200 ms; 256 requests in flight. Printed: ours over
`openai_compatible` against a bare aiohttp loop (gate 0.85), ours over `anthropic` against a bare loop over the same
client (gate 0.95), each the best of three alternating runs; then an untold limit of 4,000 requests a minute against its
ideal (gate 5 %), and 10 % random refusals against the same run without them (gate 15 %).
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import orjson

from tests.synthesis.asking import in_chunks, questions
from tinyemo_data.synthesis.backends.anthropic_client import open_client
from tinyemo_data.synthesis.backends.anthropic_messages import JSON, AnthropicMessages
from tinyemo_data.synthesis.backends.message import message_bytes
from tinyemo_data.synthesis.backends.openai_compatible import OpenAICompatible, completion_bytes
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

CONCURRENCY = 256
LATENCY = 0.2  # seconds
LENGTH = 2_500  # characters of a question: canonical requests of about 2.8 kB
PER_MINUTE = 4_000
LIMITED_REQUESTS = 2_000
GATES = {"openai_compatible": 0.85, "anthropic": 0.95, "limit": 1.05, "refusals": 1.15}


async def bare_aiohttp(url: str, outgoing: list[Outgoing]) -> None:
    """Send everything with CONCURRENCY tasks over one session, and keep nothing."""
    waiting = iter(outgoing)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:

        async def work() -> None:
            for one in waiting:
                body = completion_bytes(orjson.loads(one.canonical), None)
                async with session.post(f"{url}/chat/completions", data=body) as response:
                    orjson.loads(await response.read())

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


async def bare_client(_url: str, outgoing: list[Outgoing]) -> None:
    """Send everything with CONCURRENCY tasks over the vendor's client, raw, and keep nothing."""
    waiting = iter(outgoing)
    client = open_client(CONCURRENCY)

    async def work() -> None:
        for one in waiting:
            content = message_bytes(orjson.loads(one.canonical), None)
            response = await client.post("/v1/messages", content=content, cast_to=httpx2.Response, options=JSON)
            orjson.loads(await response.aread())

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    await client.close()


def ours(backend: Callable[[], Any], outgoing: list[Outgoing]) -> float:
    """Ask everything through the engine into a fresh ledger; return seconds."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "requests.sqlite") as ledger:
        asker = Asker(ledger, backend(), Budget(None), CONCURRENCY)
        started = time.perf_counter()
        result = asker.run(in_chunks(outgoing, 1_000), len(outgoing))
        seconds = time.perf_counter() - started
        stored = ledger.accounts().states
        assert result.answered == stored["answered"] == len(outgoing), (result, stored)
    return seconds


def bare(loop: Callable[[str, list[Outgoing]], Any], url: str, outgoing: list[Outgoing]) -> float:
    """Run a bare loop; return seconds."""
    started = time.perf_counter()
    asyncio.run(loop(url, outgoing))
    return time.perf_counter() - started


def compare(name: str, loop: Any, backend: Callable[[], Any], url: str, outgoing: list[Outgoing]) -> bool:
    """Print ours against a bare loop, the best of three runs each."""
    bare_seconds, our_seconds = [], []
    for _ in range(3):
        bare_seconds.append(bare(loop, url, outgoing))
        our_seconds.append(ours(backend, outgoing))
    rate, bare_rate = len(outgoing) / min(our_seconds), len(outgoing) / min(bare_seconds)
    ratio = rate / bare_rate
    verdict = "PASS" if ratio >= GATES[name] else "FAIL"
    print(
        f"{name:18} ours, durable {rate:7.0f}/s   bare loop {bare_rate:7.0f}/s   "
        f"ratio {ratio:.2f} (gate {GATES[name]:.2f}) {verdict}"
    )
    return ratio >= GATES[name]


def limited(server: RunningServer, backend: Callable[[], Any]) -> bool:
    """Print how close an untold limit lets us come to its ideal."""
    server.set_limits(Limits(requests_per_minute=PER_MINUTE, burst_seconds=1))
    outgoing = questions(LIMITED_REQUESTS, length=LENGTH)
    seconds = ours(backend, outgoing)
    per_second = PER_MINUTE / 60
    ideal = (LIMITED_REQUESTS - per_second) / per_second + LATENCY
    server.set_limits(Limits())
    return _judge("limit", f"untold limit of {PER_MINUTE:,} a minute, {LIMITED_REQUESTS:,} requests", seconds, ideal)


def refused(server: RunningServer, backend: Callable[[], Any], count: int) -> bool:
    """Print what 10 % random refusals cost: the ideal sends each request 1 / 0.9 times on average."""
    outgoing = questions(count, length=LENGTH)
    without = ours(backend, outgoing)
    server.set_faults(Faults.model_validate({"latency": LATENCY, "rate_limited": 0.1}))
    seconds = ours(backend, outgoing)
    server.set_faults(Faults.model_validate({"latency": LATENCY}))
    return _judge("refusals", f"10 % random refusals, {count:,} requests", seconds, without / 0.9)


def _judge(name: str, what: str, seconds: float, ideal: float) -> bool:
    ratio = seconds / ideal
    verdict = "PASS" if ratio <= GATES[name] else "FAIL"
    print(f"{what}: {seconds:.1f} s, ideal {ideal:.1f} s, ratio {ratio:.3f} (gate {GATES[name]:.2f}) {verdict}")
    return ratio <= GATES[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    count = parser.parse_args().requests
    with running_server(faults=Faults.model_validate({"latency": LATENCY})) as server:
        os.environ.update(server.environment)
        outgoing = questions(count, length=LENGTH)
        ideal = CONCURRENCY / LATENCY
        print(f"{count:,} requests, {LATENCY * 1000:.0f} ms, {CONCURRENCY} in flight, ideal {ideal:,.0f}/s")
        chat = lambda: OpenAICompatible(server.chat_url, CONCURRENCY)  # noqa: E731
        messages = lambda: AnthropicMessages(CONCURRENCY)  # noqa: E731
        passed = [
            compare("openai_compatible", bare_aiohttp, chat, server.chat_url, outgoing),
            compare("anthropic", bare_client, messages, server.url, outgoing),
            limited(server, messages),
            refused(server, messages, count),
        ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
