"""How the demo's encoder learnt to see: `python -m tinyemo_data.sample_corpus.encoder_weights FILE.safetensors`.

A small CLIP vision tower learns to name the emotion and the facts (light, scene, weather, composition, line, objects,
faces, poses) of drawn pictures that no corpus of the demo holds: their seeds begin with `encoder/`. (When the shipped
weights were taught, choices went astray twice as often as styles.yaml says now.) It stands in for what CLIP learnt from
the world's pictures. Drawing takes about 4 minutes and training about 10 on one core; the file is the checkpoint of the
open_clip architecture `tinyemo-clip` (features/configs), float16.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, pad

from tinyemo_data import taxonomy
from tinyemo_data.features.encoder import build_untrained
from tinyemo_data.features.preprocess import Preprocessing
from tinyemo_data.sample_corpus.drawing import Drawing, draw

ARCHITECTURE = "tinyemo-clip"
# Emotions of the taxonomies that the demo is evaluated on, then WEBEmo's finer ones: pictures an emotion.
COMMON, COMMON_PICTURES, FINE_PICTURES = ("mikels8", "ekman6", "unbiasedemo6"), 4000, 800
EPOCHS, BATCH, SHIFT = 4, 64, 5  # pictures a step; pixels by which a picture is moved
FACTS_WEIGHT = 30.0  # of the facts' loss (a mean over many that are rarely true) against the emotion's
MATRIX_RATE, OTHER_RATE, DECAY, WARMUP, PLATEAU = 0.02, 2e-3, 0.05, 0.05, 0.2


@dataclass(frozen=True)
class Lesson:
    """Pictures (N, 3, S, S) uint8, their emotions (N,) int64, and their facts (N, F) bool."""

    crops: torch.Tensor
    emotions: torch.Tensor
    facts: torch.Tensor


class Heads(nn.Module):
    """Linear read-outs of what is learnt, from the class token and from the patches' mean; thrown away afterwards."""

    def __init__(self, width: int, emotions: int, facts: int) -> None:
        """Make random read-outs of `width` values."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.pooled, self.patches = nn.Linear(width, emotions), nn.Linear(width, emotions)
        self.facts = nn.Linear(width, facts)

    def loss(self, pooled: torch.Tensor, patches: torch.Tensor, lesson: Lesson) -> torch.Tensor:
        """Return the loss of (B, D) pooled features and (B, P, D) patch tokens."""
        mean = self.norm(patches).mean(1)
        emotion = cross_entropy(self.pooled(pooled), lesson.emotions)
        emotion = emotion + cross_entropy(self.patches(mean), lesson.emotions)
        return emotion + FACTS_WEIGHT * binary_cross_entropy_with_logits(self.facts(mean), lesson.facts.float())


def emotions_to_draw() -> list[tuple[str, int]]:
    """Return all emotions and how many pictures of each are learnt from."""
    common = sorted({label for name in COMMON for label in taxonomy.get(name).labels})
    fine = [label for label in taxonomy.get("parrott25").labels if label not in common]
    return [(label, COMMON_PICTURES) for label in common] + [(label, FINE_PICTURES) for label in fine]


def draw_lesson(counts: list[tuple[str, int]], preprocessing: Preprocessing, kind: str) -> Lesson:
    """Draw pictures; equal arguments give equal ones. `kind` is part of their seeds."""
    crops: list[npt.NDArray[np.uint8]] = []
    emotions: list[int] = []
    facts: list[set[str]] = []
    for number, (emotion, count) in enumerate(counts):
        for index in range(count):
            drawing = draw(emotion, f"encoder/{kind}/{index}")
            crops.append(preprocessing.crop(np.array(drawing.image)).numpy())
            emotions.append(number)
            facts.append(set(facts_of(drawing)))
    return Lesson(torch.from_numpy(np.stack(crops)), torch.tensor(emotions), as_columns(facts))


def facts_of(drawing: Drawing) -> Iterator[str]:
    """Yield what a drawing shows, as names."""
    facts = drawing.facts
    for group in ("light", "scene", "weather", "composition", "facial_expression", "human_action"):
        yield f"{group} {getattr(facts, group)}"
    yield f"line {drawing.plan.line}"
    yield from (f"object {name}" for name in facts.objects)


def as_columns(facts: list[set[str]]) -> torch.Tensor:
    """Return facts as a table, bool (N, F), a column a name."""
    columns = {name: column for column, name in enumerate(sorted(set().union(*facts)))}
    table = torch.zeros(len(facts), len(columns), dtype=torch.bool)
    for row, names in enumerate(facts):
        table[row, [columns[name] for name in names]] = True
    return table


def teach(visual: Any, preprocessing: Preprocessing, lesson: Lesson) -> None:
    """Train an open_clip vision tower in place, by torch's random state."""
    heads = Heads(visual.ln_post.weight.shape[0], int(lesson.emotions.max()) + 1, lesson.facts.shape[1])
    named = [*visual.named_parameters(), *heads.named_parameters()]
    matrices = [p for name, p in named if p.ndim == 2 and "resblocks" in name]
    others = [p for name, p in named if name != "proj" and not (p.ndim == 2 and "resblocks" in name)]
    steps = EPOCHS * (len(lesson.crops) // BATCH)
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=DECAY),
        torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: pace(step / steps)) for each in optimisers]
    began, mean = time.monotonic(), 0.0
    for step, batch in enumerate(batches(lesson)):
        pooled, patches = visual(preprocessing.normalise(batch.crops, torch.float32))
        loss = heads.loss(pooled, patches, batch)
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            schedule.step()
        mean += (loss.item() - mean) / min(step + 1, 100)
        if step % 100 == 99:
            print(f"step {step + 1} of {steps}, loss {mean:.3f}, {time.monotonic() - began:.0f} s", flush=True)


def pace(done: float) -> float:
    """Return the share of the full learning rate where a share of the steps is done."""
    return min(1.0, (done + 1e-3) / WARMUP) * min(1.0, (1 - done) / (1 - PLATEAU))


def batches(lesson: Lesson) -> Iterator[Lesson]:
    """Yield whole batches of all epochs, shuffled, moved by a few pixels, never mirrored: slopes mean something."""
    for _ in range(EPOCHS):
        for index in torch.split(torch.randperm(len(lesson.crops)), BATCH):
            if len(index) == BATCH:
                yield Lesson(moved(lesson.crops[index]), lesson.emotions[index], lesson.facts[index])


def moved(crops: torch.Tensor) -> torch.Tensor:
    """Return crops moved by up to SHIFT pixels; edges are repeated."""
    across, down = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    size = crops.shape[-1]
    wider = pad(crops.float(), (SHIFT,) * 4, mode="replicate")
    return wider[:, :, down : down + size, across : across + size]


@torch.inference_mode()
def nearest_mean_accuracy(visual: Any, preprocessing: Preprocessing, known: Lesson, asked: Lesson) -> float:
    """Return the top-1 accuracy of the nearest class mean of pooled features (cosine)."""

    def encode(lesson: Lesson) -> torch.Tensor:
        parts = [visual(preprocessing.normalise(part, torch.float32))[0] for part in torch.split(lesson.crops, 256)]
        return torch.nn.functional.normalize(torch.cat(parts), dim=1)

    features = encode(known)
    means = torch.stack([features[known.emotions == each].mean(0) for each in range(int(known.emotions.max()) + 1)])
    means = torch.nn.functional.normalize(means - features.mean(0), dim=1)
    nearest = ((encode(asked) - features.mean(0)) @ means.T).argmax(1)
    return float((nearest == asked.emotions).float().mean())


def main(file: Path) -> None:
    """Draw, teach, measure on other pictures, and write the checkpoint."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model, preprocessing = build_untrained(ARCHITECTURE)
    with torch.no_grad():
        model.visual.proj.copy_(torch.eye(len(model.visual.proj)))  # features are the class token's own
    model.visual.output_tokens = True
    counts = emotions_to_draw()
    lesson = draw_lesson(counts, preprocessing, "taught")
    print(f"{len(lesson.crops):,} pictures of {len(counts)} emotions, {lesson.facts.shape[1]} facts", flush=True)
    teach(model.visual, preprocessing, lesson)
    model.visual.eval()
    for name in ("mikels8", "ekman6", "parrott25"):
        known, asked = (
            draw_lesson([(label, 30) for label in taxonomy.get(name).labels], preprocessing, f"{kind}/{name}")
            for kind in ("known", "asked")
        )
        accuracy = nearest_mean_accuracy(model.visual, preprocessing, known, asked)
        print(f"{name}: nearest class mean {accuracy:.3f} of {len(asked.crops)} other pictures", flush=True)
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
