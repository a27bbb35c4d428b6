"""An epoch of the projector in memory against a plain loop over one `.pt` file a picture.

`python -m benchmarks.projector_epoch` makes both from the train folder of the released Emotion6 features under
`$TINYEMO_SHARED` (1,094 rows, d 768, h 1280; its validation folder is never read). The alternative is the original's
shape: a DataLoader (`num_workers=0`, batch 32) that calls `torch.load` an item and collates, AdamW and OneCycleLR as
PyTorch has them by default, and the same loss from the same label texts. Ours runs through `train_projector`'s own
epoch. Rounds alternate and the best of each counts, for other programs only ever slow one down. Accuracies are
cross-validated on the same rows (5 folds, 1 seed), at both batch sizes with the learning rate that suits them.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, Dataset

from benchmarks.projector_cross_validation import random_prototypes
from benchmarks.released_emotion6 import train_features, train_files
from tinyemo_data import taxonomy
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector import losses
from tinyemo_data.projector.batches import TrainingRows, Vocabulary, batches_of, epoch_order, training_rows, vocabulary
from tinyemo_data.projector.cross_validation import cross_validate
from tinyemo_data.projector.model import initial_projector
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.training import Course
from tinyemo_data.settings import ProjectorSettings

SEED, WIDTH, EPOCHS = 0, 1280, 5
LABELS = taxonomy.get("ekman6").labels
# The recipe of the original's size, and the one for large batches: a sixth as many steps want more epochs.
SMALL = ProjectorSettings(train_on=["emotion6"], batch_size=32, epochs=EPOCHS, center_prototypes=True, seeds=[0, 1, 2])
LARGE = SMALL.model_copy(update={"batch_size": 256, "epochs": 12, "max_learning_rate": 2e-3})


class FilePerPicture(Dataset[tuple[Tensor, Tensor]]):
    """The original's shape of dataset: each item is a file, opened anew in every epoch."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.labels = [LABELS.index(path.parent.name) for path in files]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.load(self.files[index], weights_only=False), torch.tensor(self.labels[index])


@dataclass
class PlainLoop:
    """Training as PyTorch's tutorials write it."""

    loader: DataLoader[tuple[Tensor, Tensor]]
    prototypes: Tensor  # (6, h), not yet of unit length

    def __post_init__(self) -> None:
        self.projector = initial_projector(768, WIDTH, SMALL.dropout, SEED)
        self.optimizer = AdamW(self.projector.parameters(), lr=2e-5)
        steps = len(self.loader) * 1000  # more epochs than are measured
        self.scheduler = OneCycleLR(self.optimizer, max_lr=SMALL.max_learning_rate, total_steps=steps, pct_start=0.005)

    def epoch(self) -> None:
        self.projector.train()
        for features, labels in self.loader:
            self.optimizer.zero_grad()
            v = functional.normalize(self.projector(features), dim=1)
            t = functional.normalize(self.prototypes, dim=1)
            candidates = torch.ones(len(labels), len(t), dtype=torch.bool)
            loss = losses.prototype_softmax(v, t[labels], labels, t, candidates, SMALL.temperature)
            torch.autograd.backward(loss)
            self.optimizer.step()
            self.scheduler.step()

    def loading(self) -> None:
        for _features, _labels in self.loader:
            pass


@dataclass
class InMemory:
    """This project's epoch, of one batch size."""

    rows: TrainingRows
    known: Vocabulary
    settings: ProjectorSettings

    def __post_init__(self) -> None:
        endless = self.settings.model_copy(update={"epochs": 1000})
        self.course = Course(self.rows, self.rows, self.known, endless, SEED)

    def epoch(self) -> None:
        self.course.train_epoch()

    def loading(self) -> None:
        order = epoch_order(self.rows.labels, False, self.course.generator)
        for chosen in order.tensor_split(batches_of(len(order), self.settings.batch_size)):
            self.rows.select(chosen)


def best_of_rounds(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the least seconds of each way over alternating rounds, after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if number:
                taken[name].append(time.perf_counter() - began)
    return {name: min(values) for name, values in taken.items()}


def accuracy(labelled: LabelledFeatures, prototypes: Prototypes, settings: ProjectorSettings) -> list[float]:
    result = cross_validate(labelled, prototypes, settings, 5, SEED)
    print(
        f"cross-validated top-1, batch {settings.batch_size}, {settings.epochs} epochs, max lr "
        f"{settings.max_learning_rate}: {100 * result.mean:.2f} % (5 folds, ensemble of {len(settings.seeds)})"
    )
    return result.top1


def verdict(name: str, found: float, wanted: float) -> bool:
    print(f"{'PASS' if found >= wanted else 'FAIL'}  {name}: {found:.2f} (at least {wanted})")
    return found >= wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    labelled, files, prototypes = train_features(), train_files(), random_prototypes(WIDTH)
    known = vocabulary(labelled.taxonomies, prototypes.centred())
    rows = training_rows(labelled, known)
    loader = DataLoader(
        FilePerPicture(files), batch_size=32, shuffle=True, num_workers=0, generator=torch.Generator().manual_seed(SEED)
    )
    plain = PlainLoop(loader, prototypes.centred().for_labels(LABELS))
    small, large = InMemory(rows, known, SMALL), InMemory(rows, known, LARGE)
    print(
        f"N {len(rows)}, seed {SEED}, d 768, h {WIDTH}, {torch.get_num_threads()} threads, best of {arguments.rounds}"
    )
    epochs = best_of_rounds({"plain": plain.epoch, "32": small.epoch, "256": large.epoch}, arguments.rounds)
    loading = best_of_rounds({"plain": plain.loading, "32": small.loading}, 3 * arguments.rounds)
    for name, seconds in epochs.items():
        print(f"an epoch, {'plain loop, batch 32' if name == 'plain' else f'in memory, batch {name}'}: {seconds:.3f} s")
    print(f"loading alone: plain {1000 * loading['plain']:.1f} ms, in memory {1000 * loading['32']:.2f} ms")
    at_32, at_256 = accuracy(labelled, prototypes, SMALL), accuracy(labelled, prototypes, LARGE)
    lost = 100 * (statistics.fmean(at_256) - statistics.fmean(at_32))
    noise = 100 * math.sqrt(statistics.fmean(at_32) * (1 - statistics.fmean(at_32)) / len(rows))
    passed = [
        verdict("epoch at batch 32, times faster than the plain loop", epochs["plain"] / epochs["32"], 2.5),
        verdict("epoch at batch 256, times faster than the plain loop", epochs["plain"] / epochs["256"], 4),
        verdict("loading alone, times faster", loading["plain"] / loading["32"], 100),
        verdict(f"points of top-1 gained at batch 256 (one standard error: {noise:.1f})", lost, -0.5),
    ]
    raise SystemExit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
