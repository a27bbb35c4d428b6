"""Rendering a set again from a ledger full of replies: parse, gate, compare and write 700,000 records.

    python -m benchmarks.rendering [--drafts 700000] [--folder /tmp/kept]

Real drafts of the pretraining set's three tasks, and a real SQLite ledger with a reply of the Messages API to each of
them, of sentences that no two records share (3 in 100 are refusals, broken JSON or break a gate, 1 in 100 repeats an
earlier text). Preparing is not measured; with --folder it is kept for the next run. Gates: under 60 s and 2 GB of peak
memory on two cores. The alternative, measured on a part: a loop record by record with a pydantic model, some of the
patterns through `re`, and MinHash in pure numpy as datasketch has it.
"""

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import yaml
from pydantic import BaseModel

from tinyemo_data import taxonomy
from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft_file import iterate_drafts
from tinyemo_data.synthesis.drafting import plan_drafts
from tinyemo_data.synthesis.gates.label_words import label_pattern
from tinyemo_data.synthesis.gates.marks import SPECIAL
from tinyemo_data.synthesis.gates.wording import phrases
from tinyemo_data.synthesis.ledger import Ledger, Settlement
from tinyemo_data.synthesis.prompt import load_prompt, prompt_ids
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.records import records_key
from tinyemo_data.synthesis.rendering import render_set
from tinyemo_data.synthesis.reply import Reply, Usage
from tinyemo_data.synthesis.subject import Facts, Subject

NAME, SEED = "pretrain", 0
LABELS = taxonomy.get("mikels8").labels
SCENES, ACTIONS = ("beach", "street", "forest", "kitchen", None), ("walking", "sitting", "standing", None, None)
COMPARED = 2_000  # records that the alternative is measured on
SECONDS, BYTES = 60.0, 2e9
WORDS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("rendering_prose.yaml").read_text())


def sentence(draw: random.Random) -> str:
    """Return a sentence of drawn words."""
    things, looks, pick = draw.sample(WORDS["things"], 3), draw.sample(WORDS["looks"], 4), draw.choice
    place, other = draw.sample(WORDS["places"], 2)
    slots = {
        "n": things[0], "m": things[1], "o": things[2],
        "a": f"a {looks[0]}", "A": f"A {looks[0]}", "b": f"a {looks[1]}", "c": f"a {looks[2]}", "d": f"a {looks[3]}",
        "v": pick(WORDS["doings"]), "p": place, "w": other, "W": other.title(), "l": pick(WORDS["lights"]),
        "x": pick(("Two", "Three", "Four", "Several")), "s": pick(("left", "right", "far left", "front")),
    }  # fmt: skip
    frame: str = pick(WORDS["frames"])
    return frame.format(**slots)


def prose(draw: random.Random, sentences: int) -> str:
    """Return some sentences."""
    return " ".join(sentence(draw) for _ in range(sentences))


def answer(prompt: str, emotion: str, draw: random.Random) -> dict[str, str]:
    """Return the fields of a reply that fits its prompt."""
    if prompt == "pretrain/caption":
        return {"caption": prose(draw, 3)}
    thing, other = draw.sample(WORDS["things"], 2)
    if prompt == "pretrain/vqa":
        return {"question": f"What is {draw.choice(WORDS['places'])} the {thing}?", "answer": prose(draw, 2)}
    return {
        "question": f"How do the {thing} and the {other} work on a viewer?",
        "answer": f"It evokes {emotion}. {prose(draw, 2)}",
    }


def reply_text(prompt: str, emotion: str, number: int) -> str:
    """Return a reply's text: 1 in 100 repeats another one, 3 in 100 are faulty."""
    kind = number % 100
    draw = random.Random(f"{SEED}/{number - number % 10_000 if kind == 1 else number}")
    fields = answer(prompt, emotion, draw)
    last = list(fields)[-1]
    if kind == 2:
        return "I'm sorry, " + fields[last]
    if kind == 3:
        fields[last] = f"As the caption says, {fields[last]}"
    if kind == 4:
        fields[last] += f" {LABELS[number % 8]} visit www.example.com"
    return orjson.dumps(fields).decode()


def raw_reply(text: str, number: int) -> bytes:
    """Return a reply as the Messages API gives it."""
    return orjson.dumps(
        {
            "id": f"msg_{number:024x}", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": 1_100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                      "output_tokens": len(text) // 4, "service_tier": "batch"},
        }
    )  # fmt: skip


def subjects(count: int) -> Iterator[Subject]:
    """Yield pictures that are known as EmoSet's are."""
    for number in range(count):
        draw = random.Random(number)
        facts = Facts(
            brightness=draw.random(), colourfulness=draw.random() * 109, width=500, height=400,
            dominant_colours=(("#808080", 0.5), ("#203040", 0.2)), scene=draw.choice(SCENES),
            objects=tuple(draw.sample(WORDS["things"], draw.randrange(4))), human_action=draw.choice(ACTIONS),
        )  # fmt: skip
        emotion, sha = LABELS[number % 8], hashlib.sha256(str(number).encode()).hexdigest()
        path = f"image/{emotion}/{emotion}_{number:06d}"
        yield Subject(f"emoset/{path}", "emoset", f"{path}.jpg", sha, emotion, "mikels8", "annotators", facts)


def prepare(folder: Path, drafts: int) -> None:
    """Plan the drafts and answer them into a ledger, unless a run before did so."""
    store, done = Store(folder / "store"), folder / f"prepared-{drafts}"
    if done.exists():
        return
    prompts = tuple(load_prompt(one) for one in prompt_ids() if one.startswith(f"{NAME}/"))
    recipe = Recipe(NAME, prompts, ("emoset",), "anthropic", "claude-haiku-5-5", 512, None, SEED)
    plan_drafts(store, recipe, subjects(-(-drafts // len(prompts))))
    with Ledger(folder / "requests.sqlite") as ledger:
        number = 0
        for part in iterate_drafts(store, NAME, ["request_digest", "prompt", "emotion"], 20_000):
            ledger.plan([(digest, b"{}") for digest in part["request_digest"]])
            settlements = []
            for digest, prompt, emotion in part.iter_rows():
                raw = raw_reply(reply_text(prompt, emotion, number), number)
                reply = Reply(digest, raw, Usage(1_100, 90), "anthropic", "claude-haiku-5-5")
                settlements.append(Settlement(digest, "answered", 0.0, "anthropic", 0.00007, reply))
                number += 1
            ledger.settle(settlements)
    done.touch()


def measure(folder: Path) -> dict[str, float]:
    """Render in this process; return seconds, processor seconds, records, and bytes of memory."""
    store, before = Store(folder / "store"), status_bytes("VmRSS")
    began, processor = time.perf_counter(), time.process_time()
    with Ledger(folder / "requests.sqlite") as ledger:
        rendered = render_set(store, NAME, ledger.replies)
    return {
        "seconds": time.perf_counter() - began, "processor": time.process_time() - processor, "before": before,
        "peak": status_bytes("VmHWM"), "drafts": rendered.funnel.drafts, "accepted": rendered.funnel.total("accepted"),
        "near_duplicates": rendered.funnel.total("near_duplicate"),
        "written": store.path(records_key(NAME)).stat().st_size,
    }  # fmt: skip


def status_bytes(field: str) -> int:
    """Return a field of this process's memory status (Linux)."""
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0]) * 1024


class Caption(BaseModel):
    """The fields of a caption."""

    caption: str


class Exchange(BaseModel):
    """The fields of a question and its answer."""

    question: str
    answer: str


class PlainMinHash:
    """MinHash as datasketch has it: 64 permutations, updated shingle by shingle."""

    prime, mask = np.uint64((1 << 61) - 1), np.uint64((1 << 32) - 1)
    a, b = np.random.RandomState(1).randint(1, (1 << 61) - 1, (2, 64), dtype=np.uint64)

    def __init__(self) -> None:
        self.values = np.full(64, self.mask)

    def update(self, shingle: bytes) -> None:
        hashed = np.uint64(int.from_bytes(hashlib.sha1(shingle).digest()[:4], "little"))
        found = (self.a * hashed + self.b) % self.prime & self.mask
        self.values = np.minimum(found, self.values)


def measure_plain(folder: Path) -> float:
    """Return seconds a record of the plain loop, on a part."""
    store = Store(folder / "store")
    reasons = ("refusal", "nothing_seen", "assistant_talk", "source_mentioned")
    sources = ("|".join(SPECIAL), *map(phrases, reasons), label_pattern())
    patterns = [re.compile(source, re.IGNORECASE) for source in sources]
    buckets: dict[bytes, int] = {}
    with Ledger(folder / "requests.sqlite") as ledger:
        part = next(iterate_drafts(store, NAME, ["draft_id", "request_digest", "prompt"], COMPARED))
        began = time.perf_counter()
        stored = ledger.replies(part["request_digest"].to_list())
        for number, (_, digest, prompt) in enumerate(islice(part.iter_rows(), COMPARED)):
            body = orjson.loads(stored[digest].raw or b"")
            model = Caption if prompt == "pretrain/caption" else Exchange
            try:
                text = "\n".join(model.model_validate_json(body["content"][0]["text"]).model_dump().values())
            except ValueError:
                continue
            if any(pattern.search(text) for pattern in patterns):
                continue
            words, sketch = text.lower().split(), PlainMinHash()
            for place in range(len(words) - 2):
                sketch.update(" ".join(words[place : place + 3]).encode())
            for band in range(10):
                buckets.setdefault(bytes([band]) + sketch.values[band * 6 : band * 6 + 6].tobytes(), number)
        return (time.perf_counter() - began) / len(part)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drafts", type=int, default=700_000)
    parser.add_argument("--folder", type=Path, help="where drafts and ledger are kept between runs")
    parser.add_argument("--apart", choices=["measure", "plain"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.apart:
        found = measure(chosen.folder) if chosen.apart == "measure" else {"each": measure_plain(chosen.folder)}
        print(orjson.dumps(found).decode())
        return 0
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, chosen.drafts)
        return tell(run_apart("measure", folder), run_apart("plain", folder))


def run_apart(mode: str, folder: Path) -> dict[str, float]:
    """Run one measurement in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.rendering", "--apart", mode, "--folder", os.fspath(folder)]
    found: dict[str, float] = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def tell(found: dict[str, float], plain: dict[str, float]) -> int:
    """Print what was measured; return 0 where both gates are met."""
    seconds, drafts = found["seconds"], found["drafts"]
    fast, small = seconds < SECONDS * max(drafts / 700_000, 0.1), found["peak"] < BYTES
    print(f"N={drafts:,.0f} drafts, seed={SEED}, {found['accepted']:,.0f} records accepted, "
          f"{found['near_duplicates']:,.0f} near-duplicates, {found['written'] / 1e6:.0f} MB written")  # fmt: skip
    print(f"  {seconds:.1f} s ({found['processor']:.1f} s of processor), {drafts / seconds:,.0f} drafts/s "
          f"(gate: under {SECONDS:.0f} s for 700,000) {'PASS' if fast else 'FAIL'}")  # fmt: skip
    print(f"  peak memory {found['peak'] / 1e9:.2f} GB, {found['before'] / 1e9:.2f} of it before "
          f"(gate: under {BYTES / 1e9:.0f} GB) {'PASS' if small else 'FAIL'}")  # fmt: skip
    print(f"  plain loop, on {COMPARED:,} records: {1 / plain['each']:,.0f} a second; "
          f"ours is {plain['each'] * drafts / seconds:.1f} × faster, and has more gates")  # fmt: skip
    return 0 if fast and small else 1


if __name__ == "__main__":
    sys.exit(main())
