"""Message batches: packing requests by bytes, and taking in results, against the vendor's typed way.

    python -m benchmarks.batch_packing [--requests 100000]

Requests of 2.8 kB in canonical form, of which 2.3 kB are system text; each measurement in a fresh process. Packed
bodies are posted through the real client to a transport that reads them to the end, so that nothing but the network
is left out; the typed way (`messages.batches.create` with its own classes, and the results' iterator) does a part of
as many. Making the requests is timed apart and not counted. Gates: above 30,000 requests a second and below 600 MB at
the peak, every pack within the limits; above 100,000 rows of results a second; both faster than the typed way.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import orjson
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages.batch_create_params import Request

from tinyemo_data.synthesis.backends.batches.batch import Enclosed
from tinyemo_data.synthesis.backends.batches.entry import encode_all
from tinyemo_data.synthesis.backends.batches.packing import Limits, pack_all
from tinyemo_data.synthesis.backends.batches.service import BatchService
from tinyemo_data.synthesis.backends.batches.taking import Taking
from tinyemo_data.synthesis.backends.message import message_params
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.pricing import price_of
from tinyemo_data.synthesis.request import make_request

MODEL = "claude-haiku-5-5"
SYSTEM = "You describe pictures for people who study the emotions that these stir. " * 32
SCHEMA = {
    "type": "object",
    "properties": {"caption": {"type": "string"}},
    "required": ["caption"],
    "additionalProperties": False,
}
PART, TYPED_SHARE = 1_000, 10  # requests at once; the typed way does one in ten
AT_ONCE = 2_000  # settlements that are let go together
BATCH = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-11-21T12:00:00Z",
    "expires_at": "2026-11-22T12:00:00Z",
    "results_url": "http://localhost/v1/messages/batches/msgbatch_1/results",
}


class Requests:
    """Makes requests by the thousand and knows how long that took."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seconds = 0.0

    def parts(self) -> Iterator[list[Outgoing]]:
        for start in range(0, self.count, PART):
            began = time.perf_counter()
            part = [question(number) for number in range(start, min(start + PART, self.count))]
            self.seconds += time.perf_counter() - began
            yield part


def question(number: int) -> Outgoing:
    """Return a request of 2.8 kB."""
    request = make_request(
        model=MODEL,
        system=SYSTEM,
        text=f"Question {number}: what does this picture show? ".ljust(280, "."),
        schema=SCHEMA,
        max_tokens=120,
        seed=number,
        picture=None,
    )
    return Outgoing(request.digest, request.canonical, None)


class Sink(httpx2.BaseTransport):
    """Reads what is posted, and answers with a batch or its results."""

    def __init__(self, results: bytes) -> None:
        self._results = results

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.SyncByteStream)
        for _ in request.stream:
            pass
        if request.url.path.endswith("/results"):
            return httpx2.Response(200, content=self._results)
        return httpx2.Response(200, json=BATCH)


def client_of(results: bytes = b"") -> anthropic.Anthropic:
    """Return the real client over a sink."""
    http_client = httpx2.Client(transport=Sink(results))
    return anthropic.Anthropic(api_key="none", base_url="http://localhost", max_retries=0, http_client=http_client)


def pack_ours(count: int) -> float:
    """Pack and post; return seconds without those of making the requests."""
    requests, limits, service = Requests(count), Limits(), BatchService(client_of())
    began = time.perf_counter()
    entries = (
        (Enclosed(entry.one.digest, MODEL, 0.0), entry.content)
        for part in requests.parts()
        for entry in encode_all(part, limits.threads)
        if entry.content is not None
    )
    packed = 0
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as folder:
        for pack in pack_all(entries, Path(folder), limits):
            pack.seal()
            service.create(pack.content(), pack.size)
            assert pack.size <= limits.bytes
            packed += len(pack)
            pack.close()
    assert packed == count
    return time.perf_counter() - began - requests.seconds


def pack_typed(count: int) -> float:
    """Pack and post in the vendor's own way."""
    requests, client = Requests(count), client_of()
    began = time.perf_counter()
    rows = [
        Request(custom_id=one.digest, params=MessageCreateParamsNonStreaming(**message_params(body, None)))  # type: ignore[typeddict-item]
        for part in requests.parts()
        for one in part
        if (body := orjson.loads(one.canonical))
    ]
    client.messages.batches.create(requests=rows)
    return time.perf_counter() - began - requests.seconds


def result_row(number: int) -> bytes:
    """Return a row of results with an answer of 400 characters."""
    usage = {"input_tokens": 690, "output_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message = {
        "id": f"msg_{number:024d}",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": orjson.dumps({"caption": "A quiet lake. " * 28}).decode()}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    row = {"custom_id": f"{number:043d}", "result": {"type": "succeeded", "message": message}}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def take_ours(count: int) -> float:
    """Take in results up to what the ledger would write; return seconds."""
    service = BatchService(client_of(b"".join(map(result_row, range(count)))))
    price = price_of(MODEL)
    taking = Taking("msgbatch_1", ((f"{number:043d}", MODEL, 0.001, True) for number in range(count)), lambda _: price)
    began = time.perf_counter()
    for line in service.results("msgbatch_1"):
        taking.take(line)
        if len(taking.settlements) >= AT_ONCE:
            taking.settlements = []
    assert (taking.rows, taking.known, taking.waiting) == (count, count, [])
    return time.perf_counter() - began


def take_typed(count: int) -> float:
    """Take in results by the vendor's iterator; return seconds."""
    client = client_of(b"".join(map(result_row, range(count))))
    began = time.perf_counter()
    seen = sum(1 for row in client.messages.batches.results("msgbatch_1") if row.result.type == "succeeded")
    assert seen == count
    return time.perf_counter() - began


WAYS = {"pack": pack_ours, "pack_typed": pack_typed, "take": take_ours, "take_typed": take_typed}


def measure(way: str, count: int) -> dict[str, float]:
    """Return a way's rate and peak of memory (bytes), measured in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.batch_packing", "--here", way, "--requests", str(count)]
    found: dict[str, float] = orjson.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def peak_bytes() -> float:
    """Return the most memory that this process had, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024.0 * int(status.split("VmHWM:")[1].split()[0])


def measure_here(way: str, count: int) -> dict[str, Any]:
    seconds = WAYS[way](count)
    return {
        "rate": count / seconds,
        "seconds": seconds,
        "peak": peak_bytes(),
    }


def report(what: str, count: int, ours: dict[str, float], typed: dict[str, float], most: int) -> float:
    """Print both ways and return how many times as fast ours is."""
    ratio = ours["rate"] / typed["rate"]
    print(f"{what}, N={count:,}: {ours['rate']:,.0f}/s ({ours['seconds']:.1f} s), peak {ours['peak'] / 1e6:.0f} MB")
    print(
        f"  {ratio:.1f} times as fast as the typed way ({typed['rate']:,.0f}/s, peak {typed['peak'] / 1e6:.0f} MB, "
        f"N={most:,})"
    )
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--here", choices=WAYS, help="measure this way in this very process and print JSON")
    chosen = parser.parse_args()
    if chosen.here:
        print(orjson.dumps(measure_here(chosen.here, chosen.requests)).decode())
        return 0
    count, part = chosen.requests, max(1, chosen.requests // TYPED_SHARE)
    print(f"a request has {len(question(0).canonical):,} bytes, a row of results {len(result_row(0)):,}")
    pack, typed_pack = measure("pack", count), measure("pack_typed", part)
    take, typed_take = measure("take", count), measure("take_typed", part)
    ratios = (
        report("packing", count, pack, typed_pack, part),
        report("taking in results", count, take, typed_take, part),
    )
    gates = {
        f"packing {pack['rate']:,.0f} requests/s (gate: above 30,000)": pack["rate"] > 30_000,
        f"peak {pack['peak'] / 1e6:.0f} MB while packing (gate: below 600)": pack["peak"] < 600e6,
        f"taking in {take['rate']:,.0f} rows/s (gate: above 100,000)": take["rate"] > 100_000,
        f"times as fast as the typed way: {ratios[0]:.1f} and {ratios[1]:.1f} (gate: above 1)": min(ratios) > 1,
    }
    for gate, passed in gates.items():
        print(f"  {gate} {'PASS' if passed else 'FAIL'}")
    return 0 if all(gates.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
