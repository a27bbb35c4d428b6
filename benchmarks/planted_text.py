"""Planting in captions: nouns that go with an emotion, which only what is written of the pictures can tell.

A part of `python -m benchmarks.planted_bias`; `python -m benchmarks.planted_text` runs it alone.

The pictures are those of benchmarks/planted_world.py, but what is planted is not annotated, nor is its twin, nor every
second other attribute: a caption names them, as a captioner would (7 in 10 of those there are, 1 in 50 of those there
are not), among words that tell nothing. So the audit has to
propose the nouns from one half of the audited pictures and to confirm them on the other. Nouns that are planted in the
captions of an emotion but stand for nothing in the pictures, as an annotator's habit would, must not be flagged: no
projector can learn them.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch

from benchmarks.planted_world import Size, World, projector_settings
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.settings import BiasSettings

FILLERS, OF_A_CAPTION = 300, 6  # words that tell nothing
AUDIT = BiasSettings(bootstrap=100, permutations=19)


@dataclass(frozen=True)
class Found:
    """What one seed gave."""

    planted: int
    proposed: int  # planted nouns that became candidates
    candidates: int
    tested: int
    flagged: int
    right: int


def audit_text(first: int, seeds: int, workers: int) -> None:
    """Print what the audit finds of planted nouns; no gate."""
    print(f"\nNouns in captions, {seeds} seeds:")
    for odds_ratio, invisible in ((1.0, False), (3.0, False), (5.0, False), (5.0, True)):
        jobs = [(seed, odds_ratio, invisible) for seed in range(first, first + seeds)]
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            _show(odds_ratio, invisible, list(pool.map(run, *zip(*jobs, strict=True))))


def _show(odds_ratio: float, invisible: bool, found: list[Found]) -> None:
    planted, proposed, flagged, right = (
        sum(getattr(one, name) for one in found) for name in ("planted", "proposed", "flagged", "right")
    )
    each = (
        f"{np.mean([one.candidates for one in found]):.0f} nouns proposed, {np.mean([one.tested for one in found]):.0f}"
    )
    kind = ", of what no picture shows" if invisible else ""
    told = f"{flagged} flagged" if odds_ratio == 1 or invisible else f"{right} of {planted} planted pairs flagged, "
    told += "" if odds_ratio == 1 or invisible else f"{flagged - right} others; {proposed} of them were proposed"
    print(f"  OR {odds_ratio:g}{kind}: {each} pairs tested a seed; {told}", flush=True)


def run(seed: int, odds_ratio: float, invisible: bool) -> Found:
    """Plant, train, audit."""
    torch.set_num_threads(1)
    size = Size()
    world = World(seed, size)
    train = world.draw(size.train, odds_ratio, draw=1, invisible=invisible)
    audit = world.draw(size.audit, 1.0, draw=2, invisible=invisible)
    inputs = world.inputs(train, audit, projector_settings(), noisy=True)
    rng = np.random.default_rng([seed, 31])
    inputs = replace(inputs, audit=_told(inputs.audit, rng, world), train=_told(inputs.train, rng, world))
    findings = audit_bias(inputs, AUDIT)
    truth = {(f"caption: {attribute}", emotion) for attribute, emotion in world.planted_pairs()}
    flagged = set(findings.flagged.select("attribute", "emotion").iter_rows())
    candidates = {name for name in findings.slices["attribute"] if name.startswith("caption: ")}
    return Found(
        len(truth),
        len({attribute for attribute, _ in truth} & candidates),
        len(candidates),
        findings.tests["decision"],
        len(flagged),
        len(flagged & truth),
    )


def _told(pictures: Pictures, rng: np.random.Generator, world: World) -> Pictures:
    """Return the pictures with what was annotated of them of some attributes said in captions instead."""
    fillers = rng.integers(0, FILLERS, (len(pictures), OF_A_CAPTION))
    named = {attribute for attribute, _ in world.planted_pairs() | world.twin_pairs()}
    annotated = [column for column, name in enumerate(world.names) if name not in named and column % 2]
    said = np.delete(pictures.attributes.values == 1, annotated, axis=1)
    nouns = np.delete(np.array(world.names), annotated)
    captions = tuple(
        frozenset([*nouns[has].tolist(), *(f"word {number}" for number in words)])
        for has, words in zip(said, fillers.tolist(), strict=True)
    )
    return replace(pictures, attributes=pictures.attributes.columns(annotated), captions=captions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--first", type=int, default=1_000, help="the first seed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    audit_text(chosen.first, chosen.seeds, chosen.workers)


if __name__ == "__main__":
    main()
