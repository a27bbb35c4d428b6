"""Staging 700,000 records: shards, counts, contamination, card, Croissant, manifest, and the gate over all of it.

    python -m benchmarks.staging [--records 700000] [--folder /tmp/kept]

Records of the pretraining set's three tasks about EmoSet-like pictures, of sentences that no two records share, with
Sample tables, a funnel and a leakage report of the same size. Preparing is not measured; with --folder it is kept for
the next run. Gates: under 90 s and 2 GB of peak memory on two cores; a second run writes equal bytes; one record less
changes one shard. The alternative, measured on the same records: `datasets`, which reads and writes the shards alone.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from benchmarks.rendering import LABELS, prose, status_bytes
from tinyemo_data import settings
from tinyemo_data.audit.leakage import PAIRS_KEY, REPORT_KEY
from tinyemo_data.audit.pairs import PAIR_SCHEMA
from tinyemo_data.sample import samples_key
from tinyemo_data.store import Store
from tinyemo_data.synthesis.funnel import Funnel
from tinyemo_data.synthesis.gates.registry import gates_passed
from tinyemo_data.synthesis.prompt import load_prompt
from tinyemo_data.synthesis.record_file import RECORD, RecordFile
from tinyemo_data.synthesis.records import funnel_key, records_key
from tinyemo_data.synthesis.request import digest_of

NAME, SET, DATASET = "pretrain", "tinyemo-pretrain", "emoset"
TASKS = ("pretrain/caption", "pretrain/sqa", "pretrain/vqa")
PART = 30_000
SECONDS, BYTES = 90.0, 2e9
TWINS = 20_000


def picture(number: int) -> dict[str, Any]:
    """Return what every record of a picture says of it."""
    emotion = LABELS[number % len(LABELS)]
    place = f"image/{emotion}/{emotion}_{number:06d}"
    digest = f"{random.Random(number).getrandbits(256):064x}"
    return {"sample_id": f"{DATASET}/{place}", "image": f"{DATASET}/{place}.jpg", "picture_sha256": digest,
            "emotion": emotion}  # fmt: skip


def record(number: int, prompts: dict[str, str]) -> dict[str, Any]:
    """Return one record; three stand for one picture."""
    draw, task, shown = random.Random(-number), TASKS[number % 3], picture(number // 3)
    turns = [("human", f"<image>\n{prose(draw, 1)}"), ("gpt", prose(draw, 3))]
    return shown | {
        "record_id": f"{shown['sample_id']}#{task.partition('/')[2]}", "dataset": DATASET, "task": task, "variant": "",
        "conversations": [{"from": who, "value": text} for who, text in turns], "rejected": None,
        "taxonomy": "mikels8", "options": [], "label_origin": "annotators", "recipe": NAME,
        "prompt_digest": prompts[task], "generator": "anthropic_batches", "model": "claude-haiku-5-5",
        "request_digest": digest_of(str(number).encode()), "input_tokens": 1_100, "output_tokens": 90,
        "usd": 0.00007, "gates": gates_passed(task, None),
    }  # fmt: skip


def parts(count: int) -> Iterator[pl.DataFrame]:
    """Yield the records in parts."""
    prompts = {task: load_prompt(task).digest for task in TASKS}
    schema = pl.DataFrame(pl.from_arrow(RECORD.empty_table())).schema
    for start in range(0, count, PART):
        rows = [record(number, prompts) for number in range(start, min(start + PART, count))]
        yield pl.DataFrame(rows, schema_overrides=schema).select(schema.names())


def prepare(folder: Path, count: int) -> None:
    """Write records, counts, samples and a leakage report, unless a run before did so."""
    store, done = Store(folder / "store"), folder / f"prepared-{count}"
    if done.exists():
        return
    funnel = Funnel(NAME, drafts=count)
    with store.writing(records_key(NAME)) as aside, RecordFile(aside, RECORD) as file:
        for part in parts(count):
            file.add(part)
            counted = part.select("emotion", "usd", prompt="task").with_columns(
                outcome=pl.lit("accepted"), reason=pl.lit(None, pl.String)
            )
            funnel.add(counted)
    store.write_json(funnel_key(NAME), funnel.as_json() | {"diversity": {}})
    pictures = pl.DataFrame([picture(number) for number in range(count // 3 + 1)])
    samples = pictures.select("sample_id", split=pl.lit("train"), sha256="picture_sha256")
    store.write_table(samples_key(DATASET), samples)
    write_leakage(store, samples)
    done.touch()


def write_leakage(store: Store, samples: pl.DataFrame) -> None:
    """Write a report in which some pictures have a twin in a test split."""
    first = samples["sample_id"].head(TWINS)
    pairs = pl.DataFrame({"first": first, "second": "fi/test/" + first, "first_dataset": DATASET}).with_columns(
        second_dataset=pl.lit("fi"), first_split=pl.lit("train"), second_split=pl.lit("test"), hamming=pl.lit(2),
        cosine=pl.lit(0.99), kind=pl.lit("near"), group=pl.col("first"),
    )  # fmt: skip
    store.write_table(PAIRS_KEY, pairs.select(pl.col(name).cast(kind) for name, kind in PAIR_SCHEMA.items()))
    leak = {"train_dataset": DATASET, "dataset": "fi", "split": "test", "n": 23_000, "twins": TWINS, "identical": 0}
    compared = {DATASET: store.digest(samples_key(DATASET))}
    report = {"datasets": compared, "pairs_sha256": store.digest(PAIRS_KEY), "leaks": [leak], "notes": []}
    store.write_json(REPORT_KEY, report)


def measure(folder: Path) -> dict[str, Any]:
    """Stage in this process; return seconds, bytes of memory, and each file's digest."""
    from tinyemo_data.hub.staging import stage_set

    chosen = settings.load("demo").model_copy(update={"store": str(folder / "store"), "pictures": "real"})
    store, before = Store(chosen.store), status_bytes("VmRSS")
    began, processor = time.perf_counter(), time.process_time()
    staged = stage_set(store, chosen, NAME)
    return {
        "seconds": time.perf_counter() - began, "processor": time.process_time() - processor, "before": before,
        "peak": status_bytes("VmHWM"), "found": len(staged.found), "bytes": staged.bytes,
        "files": {entry.path: entry.sha256 for entry in staged.manifest.files},
    }  # fmt: skip


def measure_datasets(folder: Path) -> dict[str, Any]:
    """Read the records and write them in as many shards with `datasets`."""
    import datasets

    datasets.disable_progress_bars()
    began, before = time.perf_counter(), status_bytes("VmRSS")
    path = Store(folder / "store").path(records_key(NAME))
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        loaded = datasets.Dataset.from_parquet(str(path), cache_dir=temporary)
        for number in range(16):
            loaded.shard(16, number).to_parquet(Path(temporary) / f"{number}.parquet")
    return {"seconds": time.perf_counter() - began, "peak": status_bytes("VmHWM"), "before": before}


def drop_last_record(folder: Path) -> None:
    """Take one record away."""
    store = Store(folder / "store")
    table = store.read_table(records_key(NAME))
    with store.writing(records_key(NAME)) as aside, RecordFile(aside, RECORD) as file:
        file.add(table.head(-1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=700_000)
    parser.add_argument("--folder", type=Path, help="where the records are kept between runs")
    parser.add_argument("--apart", choices=["measure", "datasets"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.apart:
        found = measure(chosen.folder) if chosen.apart == "measure" else measure_datasets(chosen.folder)
        print(orjson.dumps(found).decode())
        return 0
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, chosen.records)
        first, second = run_apart("measure", folder), run_apart("measure", folder)
        others = run_apart("datasets", folder)
        kept = (folder / "store" / records_key(NAME)).read_bytes()
        drop_last_record(folder)
        fewer = run_apart("measure", folder)
        (folder / "store" / records_key(NAME)).write_bytes(kept)
    return tell(chosen.records, first, second, fewer, others)


def run_apart(mode: str, folder: Path) -> dict[str, Any]:
    """Run one measurement in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.staging", "--apart", mode, "--folder", os.fspath(folder)]
    found: dict[str, Any] = orjson.loads(
        subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1]
    )
    return found


def tell(
    records: int, first: dict[str, Any], second: dict[str, Any], fewer: dict[str, Any], others: dict[str, Any]
) -> int:
    """Print what was measured; return 0 where the gates are met."""
    fast = first["seconds"] < SECONDS * max(records / 700_000, 0.1)
    shards = {path for path in first["files"] if path.endswith(".parquet")}
    small, same = first["peak"] < BYTES, all(first["files"][path] == second["files"].get(path) for path in shards)
    changed = sum(fewer["files"].get(path) != first["files"][path] for path in shards)
    print(f"N={records:,} records, {len(shards)} shards, {first['bytes'] / 1e6:.0f} MB staged, "
          f"{first['found']} findings of the gate")  # fmt: skip
    print(f"  {first['seconds']:.1f} s ({first['processor']:.1f} s of processor), again {second['seconds']:.1f} s "
          f"(gate: under {SECONDS:.0f} s for 700,000) {'PASS' if fast else 'FAIL'}")  # fmt: skip
    print(f"  peak memory {first['peak'] / 1e9:.2f} GB, {first['before'] / 1e9:.2f} of it before "
          f"(gate: under {BYTES / 1e9:.0f} GB) {'PASS' if small else 'FAIL'}")  # fmt: skip
    print(f"  a second run writes equal shards {'PASS' if same else 'FAIL'}; "
          f"one record less changes {changed} of {len(shards)} {'PASS' if changed <= 1 else 'FAIL'}")  # fmt: skip
    print(f"  datasets, shards alone: {others['seconds']:.1f} s, peak {others['peak'] / 1e9:.2f} GB")
    return 0 if fast and small and same and changed <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
