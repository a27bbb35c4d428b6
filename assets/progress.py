"""Progress of long assets in the run's log: at most a line every 30 seconds, since each is a database write."""

import time
from collections.abc import Callable

import dagster as dg

from tinyemo_data.progress import Progress

SECONDS_BETWEEN_LINES = 30.0


def log_progress(context: dg.AssetExecutionContext, unit: str) -> Callable[[Progress], None]:
    """Return a report that logs the share done, the rate and the time left."""
    last = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last < SECONDS_BETWEEN_LINES:
            return
        last = time.monotonic()
        context.log.info(_line(progress, unit))

    return report


def _line(progress: Progress, unit: str) -> str:
    line = f"{progress.done:,} of {progress.total:,} {unit}" if progress.total else f"{progress.done:,} {unit}"
    line += f", {progress.rate:,.1f}/s" + (f", {progress.detail}" if progress.detail else "")
    return line if progress.seconds_left is None else f"{line}, {progress.seconds_left / 60:.1f} min left"
