"""The server's own process: options come as one line of JSON; it runs until its standard input closes."""

import asyncio
import contextlib
import signal
import sys
import threading

import orjson

from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.application import start
from tinyemo_data.synthesis.rehearsal.options import Options


async def run(options: Options) -> None:
    """Serve, say the port on standard output, and stop when nobody holds the other end of standard input."""
    listening = await start(options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    threading.Thread(target=_watch, args=(loop, stopped), daemon=True).start()
    sys.stdout.write(orjson.dumps({"port": listening.port}).decode() + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await listening.stop()


def _watch(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    sys.stdin.read()
    with contextlib.suppress(RuntimeError):  # the loop may have ended first
        loop.call_soon_threadsafe(stopped.set)


def main() -> None:
    """Read the options and serve."""
    # Ctrl-C reaches every process of a terminal's group; whoever started this one decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(run(Options.model_validate_json(sys.stdin.readline())))
    except RehearsalError as exc:
        sys.stderr.write(f"RehearsalError: {exc}\n")
        sys.exit(1)


main()
