"""Training the MM-LLM: tokens a second and peak memory with and without cached patch features, padding, MFU on a GPU.

    python -m benchmarks.mm_llm_training [--records 160] [--rounds 2]

Through `train_stage`, as the assets train, on random weights, noise photographs (JPEG, 640 × 480) and answers of
log-normal length. Every variant runs in a process of its own, whose peak memory counts; rounds alternate and the best
of each counts, for other programs only ever slow one down. On the CPU one thread computes and its own time
counts, so that a shared machine gives the same figures. Ratios are of the same run. Peak memory is what training adds
to what the process, with its libraries and the model, held before.

Where there is CUDA, runs of real size follow: the shape of CLIP ViT-L/14 with that of SmolLM2-360M, bf16, both stages.
Their model FLOPs utilisation is what the arithmetic of forward and backward takes (padding not counted, each frozen
part as far as its gradients are needed) over the time of whole steps, divided by what a bf16 product of 8,192 × 8,192
matrices reaches on the same GPU.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from PIL import Image

from tinyemo_data.mm_llm.backbone import load_backbone
from tinyemo_data.mm_llm.batches import Conversations
from tinyemo_data.mm_llm.composition import MMLLM, compose
from tinyemo_data.mm_llm.conversation import Conversation
from tinyemo_data.mm_llm.encoding import encode
from tinyemo_data.mm_llm.freezing import count_parameters
from tinyemo_data.mm_llm.small_language_model import END, PAD, START, train_tokenizer
from tinyemo_data.mm_llm.stage import StageData, train_stage
from tinyemo_data.mm_llm.vision_tower import load_vision_tower
from tinyemo_data.progress import Progress
from tinyemo_data.settings import MMLLMSettings

hf: Any = transformers  # its annotations are partial
WARM = 2  # steps that don't count
SIDE = 8192  # of the matrices whose product is the peak


@dataclass(frozen=True)
class Size:
    """Shapes of a tower and a language model, and a batch."""

    tower: dict[str, int]
    language_model: dict[str, int]
    batch: int
    answer_words: float  # median


SMALL = Size(
    {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 4, "patch_size": 32},
    {"hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 2, "num_attention_heads": 4},
    batch=8,
    answer_words=60,
)
REAL = Size(
    {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "patch_size": 14,
    },
    {
        "hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 15,
        "num_key_value_heads": 5, "vocab_size": 49152,
    },
    batch=64,
    answer_words=120,
)  # fmt: skip
SIZES = {"small": SMALL, "real": REAL}


def plant(folder: Path, count: int, size: Size) -> list[Conversation]:
    """Write noise photographs and return conversations about them, one each, of log-normal length."""
    rng = np.random.default_rng(0)
    words = ["light", "dark", "the", "of", "evokes", "because", "colour", "scene", "awe", "fear", "quiet", "and"]
    found = []
    for number in range(count):
        pixels = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number}.jpg", quality=90)
        length = min(600, max(4, int(rng.lognormal(np.log(size.answer_words), 0.6))))
        answer = " ".join(rng.choice(words, length))
        turns = (("<image>\nWhy does this picture evoke awe?", answer),)
        found.append(Conversation(f"r{number}", f"s{number}", "noise", f"{number}.jpg", turns))
    return found


def build(folder: Path, size: Size, conversations: list[Conversation]) -> MMLLM:
    """Compose random parts of a size."""
    tower, backbone = folder / "tower", folder / "backbone"
    hf.CLIPVisionModel(hf.CLIPVisionConfig(image_size=224, **size.tower)).save_pretrained(tower)
    hf.CLIPImageProcessor(
        size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}
    ).save_pretrained(tower)  # fmt: skip
    tokenizer = train_tokenizer(text for each in conversations for turn in each.turns for text in turn)
    fast = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PAD)
    values = {"vocab_size": len(fast), "max_position_embeddings": 4096, "tie_word_embeddings": True}
    hf.LlamaForCausalLM(hf.LlamaConfig(**{**values, **size.language_model})).save_pretrained(backbone)
    fast.save_pretrained(backbone)
    return compose(load_vision_tower(str(tower)), load_backbone(str(backbone)))


@dataclass(frozen=True)
class Measured:
    """One run."""

    tokens_per_second: float
    seconds_a_step: float
    peak_bytes: int
    padding: float
    encoding_seconds: float  # of all pictures, once
    flops_a_second: float


class Clock:
    """Notes when each step ended, and when the pictures were encoded."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start, with seconds by `now`."""
        self.now = now
        self.steps: list[tuple[float, int]] = []
        self.encoded = 0.0
        self.start = now()

    def __call__(self, unit: str) -> Callable[[Progress], None]:
        """Return the report of a unit."""
        return self._step if unit == "tokens" else self._picture

    def _step(self, progress: Progress) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps.append((self.now(), progress.done))

    def _picture(self, progress: Progress) -> None:
        del progress
        self.encoded = self.now() - self.start

    def steady(self) -> tuple[float, float]:
        """Return tokens a second and seconds a step, without the first steps."""
        (began, before), (ended, after) = self.steps[WARM - 1], self.steps[-1]
        return (after - before) / (ended - began), (ended - began) / (len(self.steps) - WARM)


def measure(
    size: Size, stage: Literal["pretrain", "finetune"], records: int, device: str, cached: bool, grouped: bool
) -> Measured:
    """Train one epoch of a stage in this process and measure it."""
    torch.manual_seed(0)
    if device == "cpu":
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as place:
        folder = Path(place)
        conversations = plant(folder, records, size)
        whole = build(folder, size, conversations)
        encoded = encode(conversations, whole.processor.tokenizer, whole.model.config.image_seq_length, 4096)
        pictures = [folder / each.path for each in conversations]
        data = StageData(Conversations(encoded, range(len(encoded))), None, pictures)
        settings = MMLLMSettings.model_validate({
            "device": device, "precision": "bf16" if device == "cuda" else "fp32", "cached_features": cached,
            "length_grouping": grouped, "validation_fraction": 0.0, "evaluations": 1, "checkpoints_kept": 1,
            "workers": 8 if device == "cuda" and not cached else 0,
            "pretrain": {"batch_size": size.batch}, "finetune": {"batch_size": size.batch},
        })  # fmt: skip
        flops = flops_a_token(whole, stage, cached, float(encoded.lengths.mean()))
        on_gpu = device == "cuda"
        clock, before = Clock(time.perf_counter if on_gpu else time.process_time), resident_bytes()
        course = train_stage(whole, data, stage, settings, folder / "work" / "run", "benchmark", clock)
    rate, step = clock.steady()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    peak = torch.cuda.max_memory_allocated() if on_gpu else grown
    return Measured(rate, step, peak, course.padding, clock.encoded, rate * flops)


def resident_bytes() -> int:
    """Return what this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def flops_a_token(whole: MMLLM, stage: str, cached: bool, length: float) -> float:
    """Return the model's floating point operations a token of a record, forward and backward.

    2 a parameter and token forward, 2 for the gradient of its input, 2 for its own; frozen parameters have the last
    not, and the tower, before which nothing trains, has only the first. Attention adds 4 · T · width a token, layer and
    pass (Chowdhery et al., arXiv 2204.02311, appendix B; causal masks not counted off). Embedding rows are looked up.
    """
    counts = count_parameters(whole.model)
    config, tower = whole.model.config.text_config, whole.model.config.vision_config
    patches = whole.model.config.image_seq_length
    learnt = stage == "finetune"
    looked_up = 0 if config.tie_word_embeddings else config.vocab_size * config.hidden_size
    attention = 4 * length * config.hidden_size * config.num_hidden_layers
    language_model = (counts["language_model"] - looked_up) * (6 if learnt else 4) + 3 * attention
    connector = 6 * counts["connector"] * patches / length
    layers = tower.num_hidden_layers - 1 / 2  # the state before the last layer is taken, but all are computed
    seen = patches + 1
    vision = (2 * counts["vision_tower"] * seen + 4 * seen**2 * tower.hidden_size * round(layers)) / length
    return float(language_model + connector + (0 if cached else vision))


def in_process_of_its_own(size: str, stage: str, records: int, device: str, cached: bool, grouped: bool) -> Measured:
    """Measure in a fresh process: peaks of others don't count."""
    values = json.dumps([size, stage, records, device, cached, grouped])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.mm_llm_training", "--measure", values], check=True, stdout=subprocess.PIPE
    )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def best(runs: list[Measured]) -> Measured:
    """Return the fastest run, with the least peak of all."""
    return replace(max(runs, key=lambda run: run.tokens_per_second), peak_bytes=min(run.peak_bytes for run in runs))


def compare(size: str, records: int, rounds: int, device: str) -> None:
    """Print what cached features and length grouping change."""
    variants = {"pixels": (False, True), "cached": (True, True), "mixed": (True, False)}
    runs: dict[str, list[Measured]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, (cached, grouped) in variants.items():
            runs[name].append(in_process_of_its_own(size, "finetune", records, device, cached, grouped))
    pixels, stored, mixed = (best(runs[name]) for name in variants)
    print(f"stage 2, {records} records a run, {device}, best of {rounds}:")
    for name, run in (("pixels each step", pixels), ("cached features", stored), ("cached, no grouping", mixed)):
        print(
            f"  {name:20} {run.tokens_per_second:10,.0f} tokens/s   {1e3 * run.seconds_a_step:7.0f} ms a step   "
            f"peak {run.peak_bytes / 1e6:8,.0f} MB   padding {run.padding:5.1%}"
        )
    print(
        f"  cached features: {stored.tokens_per_second / pixels.tokens_per_second:.2f} times the tokens/s, "
        f"{stored.peak_bytes / pixels.peak_bytes:.2f} of the memory; encoding once: {stored.encoding_seconds:.1f} s"
    )
    print(
        f"  length grouping: padding {stored.padding:.1%} against {mixed.padding:.1%}, "
        f"{stored.tokens_per_second / mixed.tokens_per_second:.2f} times the tokens/s"
    )


@torch.no_grad()
def bf16_peak() -> float:
    """Return the floating point operations a second of a large bf16 product on this GPU."""
    a, b = (torch.randn(SIDE, SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(10):
        a @ b
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(50):
        a @ b
    torch.cuda.synchronize()
    return 50 * 2 * SIDE**3 / (time.perf_counter() - start)


def real_size(records: int) -> None:
    """Print MFU and memory of a run of real size on the GPU."""
    peak = bf16_peak()
    torch.cuda.empty_cache()
    print(f"CLIP ViT-L/14 + SmolLM2-360M shapes, {torch.cuda.get_device_name()}, bf16 peak {peak / 1e12:.0f} TFLOP/s:")
    for stage in ("pretrain", "finetune"):
        for cached in (False, True):
            run = in_process_of_its_own("real", stage, records, "cuda", cached, True)
            print(
                f"  {stage:9} {'cached' if cached else 'pixels'}  {run.tokens_per_second:10,.0f} tokens/s  "
                f"{run.flops_a_second / 1e12:6.0f} TFLOP/s  MFU {run.flops_a_second / peak:5.1%}  "
                f"peak {run.peak_bytes / 1e9:5.1f} GB"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--real-records", type=int, default=2560)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    typed = parser.parse_args()
    if typed.measure:
        size, *rest = json.loads(typed.measure)
        print(json.dumps(measure(SIZES[size], *rest).__dict__))
        return
    compare("small", typed.records, typed.rounds, "cpu")
    if torch.cuda.is_available():
        real_size(typed.real_records)
    else:
        print("No CUDA here: the run of real size and its MFU were left out.")


if __name__ == "__main__":
    main()
