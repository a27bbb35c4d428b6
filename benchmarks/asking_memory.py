"""Memory of a long run: asking holds a bounded number of requests, whatever their number.

    python -m benchmarks.asking_memory [--sizes 20000 525000]

Each size in a fresh process, through the engine into a ledger on disk; answers come at once from within the process, so
that nothing but the engine and the ledger is measured. Gate: the peak at the largest size is at most 64 MB above that
at the smallest.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from tests.synthesis.asking import question
from tinyemo_data.synthesis.backends.online import Arrived
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.reply import Reply, Usage

SIZES = [20_000, 525_000]
CHUNK = 1_024
CONCURRENCY = 256
RAW = b'{"content": [{"type": "text", "text": "' + b"A quiet street in the rain. " * 20 + b'"}]}'
GROWTH = 64e6  # bytes


class AtOnce:
    """A backend that answers at once, always the same."""

    name = "at_once"
    sends_pictures = False

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        del body, picture
        await asyncio.sleep(0)
        return Arrived(Reply(digest, RAW, Usage(800, 120), self.name, "m"), {})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return


def stream(count: int) -> Iterator[list[Outgoing]]:
    """Make requests of about 2.8 kB as they are wanted."""
    for start in range(0, count, CHUNK):
        yield [question(number, length=2_500) for number in range(start, min(start + CHUNK, count))]


def measure(count: int) -> None:
    """Ask `count` requests; print requests a second and the peak of memory."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "requests.sqlite") as ledger:
        started = time.perf_counter()
        report = Asker(ledger, AtOnce(), Budget(None), CONCURRENCY).run(stream(count), count)
        seconds = time.perf_counter() - started
    assert report.answered == count
    print(f"{count} {count / seconds:.0f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--child", type=int)
    arguments = parser.parse_args()
    if arguments.child is not None:
        measure(arguments.child)
        return 0
    peaks = []
    for size in arguments.sizes:
        command = [sys.executable, "-m", "benchmarks.asking_memory", "--child", str(size)]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        peaks.append(float(line[2]))
        print(f"{size:>9,} requests: {float(line[1]):,.0f}/s durable, peak {peaks[-1] / 1e6:.0f} MB")
    growth = max(peaks) - peaks[0]
    verdict = "PASS" if growth <= GROWTH else "FAIL"
    print(f"growth {growth / 1e6:.0f} MB (gate {GROWTH / 1e6:.0f} MB) {verdict}")
    return 0 if growth <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
