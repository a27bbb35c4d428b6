"""Prototypes of all labels from a sharded language model of a billion parameters, in memory and time.

    python -m benchmarks.prototypes

The model has the shape of a Llama (vocabulary 128,256, width 2,048, 8 layers, untied head) with random bf16
weights and a tokenizer of 128,256 entries; the benchmark makes it in a temporary folder (2 GB). Each way
runs in a fresh process: its peak is VmHWM minus the resident memory after imports, its seconds exclude the
interpreter's start and the imports; "process s" (warm) is all of it. "warm": the files are in the page
cache; "cold": they were dropped from it.
"""

import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tinyemo_data import taxonomy
from tinyemo_data.projector.prototypes import make_prototypes
from tinyemo_data.projector.tiny_language_model import TEXT, train_tokenizer

SEED = 0
VOCABULARY, WIDTH, INNER, LAYERS, KEYS = 128_256, 2_048, 8_192, 8, 512
MATRIX_BYTES = VOCABULARY * WIDTH * 2
LABELS = sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
SYNONYMS = {label: taxonomy.synonyms(label) for label in LABELS}
REPEATS = 3
MEBIBYTE = 2**20

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "dtype": "bfloat16",
}


def prototypes(folder: Path) -> torch.Tensor:
    """This project's way: the rows of the labels' tokens, and nothing else."""
    return make_prototypes(LABELS, folder, synonyms=SYNONYMS).embeddings


def whole_tensors(folder: Path) -> torch.Tensor:
    """Read every tensor of every shard into memory, then take the same means."""
    state: dict[str, torch.Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        # A clone, as a module's parameter is one: load_file alone only maps the file.
        state |= {name: tensor.clone() for name, tensor in load_file(shard).items()}
    return _means(folder, state["model.embed_tokens.weight"])


def whole_model(folder: Path) -> torch.Tensor:
    """The original's way: the whole model by transformers, of which the input embeddings are used.

    transformers 5 only maps safetensors of the asked dtype, so what this costs is mostly its import.
    """
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    return _means(folder, model.get_input_embeddings().weight.detach())


def _means(folder: Path, matrix: torch.Tensor) -> torch.Tensor:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return torch.stack([matrix[tokenizer.encode(label).ids].float().mean(dim=0) for label in LABELS])


WAYS: dict[str, Callable[[Path], torch.Tensor]] = {
    "prototypes": prototypes,
    "whole_tensors": whole_tensors,
    "whole_model": whole_model,
}


def measure(way: str, folder: Path) -> None:
    """Run one way in this process; print its seconds and peak in bytes, and write its prototypes."""
    if way == "whole_model":
        # transformers imports its parts when they are first used: the import is not what is measured.
        importlib.import_module("transformers.models.llama.modeling_llama")
        importlib.import_module("transformers.models.auto.modeling_auto")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is resident now
    before = _memory("VmHWM")
    start = time.perf_counter()
    embeddings = WAYS[way](folder)
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM") - before
    torch.save(embeddings, folder / f"{way}.pt")
    print(json.dumps({"seconds": seconds, "peak": peak}))


def _memory(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def make_model(folder: Path) -> int:
    """Write the sharded model, its index and its tokenizer; return the number of parameters."""
    generator = torch.Generator().manual_seed(SEED)
    # The layers take their weights from a pool: nothing that is measured depends on them being distinct.
    pool = torch.randn(VOCABULARY * WIDTH // 8, generator=generator).bfloat16()
    weight_map: dict[str, str] = {}
    count = 0
    for number, shapes in enumerate(_shards()):
        shard = f"model-{number + 1:05}.safetensors"
        state = {name: _weights(name, shape, pool, generator) for name, shape in shapes.items()}
        save_file(state, folder / shard, {"format": "pt"})
        weight_map |= dict.fromkeys(state, shard)
        count += sum(tensor.numel() for tensor in state.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 2 * count}, "weight_map": weight_map})
    )
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(_large_tokenizer()))
    return count


def _shards() -> Iterator[dict[str, tuple[int, ...]]]:
    square, narrow, wide = (WIDTH, WIDTH), (KEYS, WIDTH), (INNER, WIDTH)
    shapes: dict[str, tuple[int, ...]] = {"self_attn.q_proj": square, "self_attn.o_proj": square}
    shapes |= {"self_attn.k_proj": narrow, "self_attn.v_proj": narrow, "mlp.gate_proj": wide}
    shapes |= {"mlp.up_proj": wide, "mlp.down_proj": wide[::-1]}
    shapes |= {"input_layernorm": (WIDTH,), "post_attention_layernorm": (WIDTH,)}
    layers = [
        {f"model.layers.{layer}.{name}.weight": shape for name, shape in shapes.items()} for layer in range(LAYERS)
    ]
    yield {"model.embed_tokens.weight": (VOCABULARY, WIDTH)} | layers[0]
    for first in range(1, LAYERS, 4):
        yield {name: shape for layer in layers[first : first + 4] for name, shape in layer.items()}
    yield {"model.norm.weight": (WIDTH,), "lm_head.weight": (VOCABULARY, WIDTH)}


def _weights(name: str, shape: tuple[int, ...], pool: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    if name == "model.embed_tokens.weight":
        return torch.randn(shape, generator=generator).mul_(0.02).bfloat16()
    size = torch.Size(shape).numel()
    return pool.repeat(-(-size // len(pool)))[:size].mul(0.02).reshape(shape)


def _large_tokenizer() -> dict[str, object]:
    """Return a byte-level BPE of VOCABULARY entries whose ids, and so the labels' rows, are spread at random."""
    described: dict[str, object] = json.loads(train_tokenizer(TEXT.read_text().splitlines(), 2048).to_str())
    model = described["model"]
    assert isinstance(model, dict)
    tokens, merges = list(model["vocab"]), list(model["merges"])
    known = set(tokens)
    plain = [token for token in tokens if token.isalpha()]
    for first, second in product(plain, plain):
        if len(tokens) == VOCABULARY:
            break
        if first + second not in known:
            tokens.append(first + second)
            known.add(first + second)
            merges.append([first, second])
    assert len(tokens) == VOCABULARY
    specials = tokens[:3]  # keep their ids, which the post-processor names
    shuffled = random.Random(SEED).sample(tokens[3:], len(tokens) - 3)
    model["vocab"] = {token: index for index, token in enumerate([*specials, *shuffled])}
    model["merges"] = merges
    return described


def run(way: str, folder: Path, is_cold: bool) -> dict[str, float]:
    """Measure one way in a fresh process."""
    if is_cold:
        for path in folder.glob("*.safetensors"):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    command = [sys.executable, "-m", "benchmarks.prototypes", way, str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    process = time.perf_counter() - start
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found | {"process": process}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tinyemo-benchmark-") as name:
        folder = Path(name)
        count = make_model(folder)
        words = len({text for label in LABELS for text in (label, *SYNONYMS[label])})
        print(f"{count / 1e9:.2f}e9 parameters, bf16, {len(list(folder.glob('*.safetensors')))} shards, seed {SEED}")
        print(f"embedding matrix {VOCABULARY} × {WIDTH}: {MATRIX_BYTES / MEBIBYTE:.0f} MiB")
        print(f"{len(LABELS)} labels ({words} texts with their synonyms; the others embed the labels alone)")
        print(f"best of {REPEATS} warm runs, one cold run; seconds exclude interpreter start and imports")
        return report(folder)


def report(folder: Path) -> int:
    """Measure all ways, print the table, the ratios and the gates; return the exit status."""
    best: dict[str, dict[str, float]] = {}
    print(f"\n{'way':<16}{'warm s':>9}{'cold s':>9}{'process s':>11}{'peak MiB':>10}")
    for way in WAYS:
        cold = run(way, folder, is_cold=True)
        runs = [run(way, folder, is_cold=False) for _ in range(REPEATS)]
        best[way] = {key: min(each[key] for each in runs) for key in ("seconds", "process")}
        best[way]["peak"] = max(each["peak"] for each in [*runs, cold])
        seconds, process, peak = best[way]["seconds"], best[way]["process"], best[way]["peak"] / MEBIBYTE
        print(f"{way:<16}{seconds:>9.2f}{cold['seconds']:>9.2f}{process:>11.2f}{peak:>10.0f}")
    ours = best["prototypes"]
    for way in ("whole_tensors", "whole_model"):
        ratio = {key: best[way][key] / ours[key] for key in ours}
        print(
            f"against {way}: {ratio['seconds']:.1f} × the seconds (warm), {ratio['process']:.1f} × those of the "
            f"process, {ratio['peak']:.1f} × the memory"
        )
    results = [torch.load(folder / f"{way}.pt", weights_only=True) for way in WAYS]
    agree = all(torch.allclose(results[0], other, rtol=1e-5, atol=1e-7) for other in results[1:])
    gates = {
        f"peak {ours['peak'] / MEBIBYTE:.0f} MiB under twice the matrix": ours["peak"] < 2 * MATRIX_BYTES,
        f"{ours['seconds']:.2f} s (warm) under 2 s": ours["seconds"] < 2,
        "the same prototypes as both others": agree,
    }
    for gate, holds in gates.items():
        print(f"{'PASS' if holds else 'FAIL'}  {gate}")
    return 0 if all(gates.values()) else 1


if __name__ == "__main__":
    torch.set_num_threads(2)
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        sys.exit(main())
