"""Time and memory of the bias audit as pictures grow: 200 attributes, 8 emotions, 1,600 pairs.

`python -m benchmarks.audit_scale` draws 25,000, 50,000 and 100,000 pictures to train on and as many to audit
(benchmarks/planted_world.py), trains two real projectors and audits them with all defaults: 2,000 bootstrap resamples
and 499 permutations of each flagged pair. Each size runs in a process of its own, on two threads (`--threads`). The
time that is judged is the audit's own; that of the two re-weighted projectors is told apart, for it hangs on features
and epochs. Time on the clock is judged where the machine is free; beside it stands the processor time, in which
threads that wait for each other count as work: so one thread is the fairer measure of how cost grows on a busy machine.
PASS: 100,000 pictures under 5 minutes and 8 GiB; processor time grows no faster than pictures, by more than a fifth.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks.planted_world import Size, World, projector_settings
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.settings import BiasSettings

ATTRIBUTES, TWINS, PLANTED = 200, 20, 10
SECONDS, GIB, SLACK = 300, 8, 1.2
TRAINING = "training on equal and on raked weights"


@dataclass(frozen=True)
class Measured:
    """One size's audit."""

    pictures: int
    steps: dict[str, float]  # seconds
    seconds: float  # without training
    cpu: float  # seconds, without training
    gib: float  # most memory of the process
    tests: int
    flagged: int
    right: int


def measure(pictures: int, threads: int) -> Measured:
    """Draw, train and audit."""
    torch.set_num_threads(threads)
    size = Size(attributes=ATTRIBUTES, twins=TWINS, planted=PLANTED, train=pictures, audit=pictures)
    world = World(0, size)
    train, audit = world.draw(size.train, 3.0, draw=1), world.draw(size.audit, 1.0, draw=2)
    inputs = world.inputs(train, audit, projector_settings(epochs=4))
    marks: list[tuple[str, float, float]] = []

    def mark(step: str) -> None:
        marks.append((step, time.perf_counter(), time.process_time()))

    findings = audit_bias(inputs, BiasSettings(), mark)
    mark("end")
    told = [(one[0], after[1] - one[1], after[2] - one[2]) for one, after in itertools.pairwise(marks)]
    flagged = set(findings.flagged.select("attribute", "emotion").iter_rows())
    return Measured(
        pictures,
        {step: seconds for step, seconds, _ in told},
        sum(seconds for step, seconds, _ in told if step != TRAINING),
        sum(cpu for step, _, cpu in told if step != TRAINING),
        int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024**2,
        findings.tests["decision"],
        len(flagged),
        len(flagged & world.planted_pairs()),
    )


def measure_apart(pictures: int, threads: int) -> Measured:
    """Measure in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.audit_scale", "--threads", str(threads), "--apart", str(pictures)]
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | limits).stdout
    return Measured(**json.loads(told))


def show(one: Measured) -> None:
    each = one.cpu / one.pictures * 1e6
    print(
        f"{one.pictures} pictures: {one.seconds:.1f} s ({one.cpu:.1f} s of CPU, {each:.0f} µs a picture), peak "
        f"{one.gib:.2f} GiB; {one.tests} pairs tested, {one.flagged} flagged, {one.right} of {PLANTED} planted"
    )
    for step, seconds in one.steps.items():
        print(f"    {seconds:7.1f} s  {step}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[25_000, 50_000, 100_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--apart", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.apart:
        print(json.dumps(asdict(measure(chosen.apart, chosen.threads))))
        return
    print(f"{chosen.threads} threads, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    found = []
    for pictures in chosen.sizes:
        found.append(measure_apart(pictures, chosen.threads))
        show(found[-1])
        sys.stdout.flush()
    first, last = found[0], found[-1]
    times = last.pictures / first.pictures
    checks = [
        (f"{last.pictures} pictures, seconds", last.seconds, SECONDS),
        (f"{last.pictures} pictures, GiB", last.gib, GIB),
        (
            f"CPU of {last.pictures} to {first.pictures}, {times:g} times the pictures",
            last.cpu / first.cpu,
            SLACK * times,
        ),
    ]
    for name, value, limit in checks:
        print(f"{'PASS' if value <= limit else 'FAIL'}  {name}: {value:.1f} (at most {limit:g})")
    raise SystemExit(0 if all(value <= limit for _, value, limit in checks) else 1)


if __name__ == "__main__":
    main()
