"""Training one projector, wholly in memory: seed and data give its weights, bit for bit for one CPU and thread count.

The original's validation part was its test part, and its "best" checkpoint was whatever came last, since it
never raised the accuracy to beat. Here the validation part is taken out of train, and the epoch with the
lowest loss on it is the one that is kept.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector import losses
from tinyemo_data.projector.batches import (
    TrainingRows,
    Vocabulary,
    batches_of,
    check_trainable,
    drawn_texts,
    epoch_order,
    training_rows,
    vocabulary,
)
from tinyemo_data.projector.model import MetricProjector, initial_projector
from tinyemo_data.projector.partition import held_out_part
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.schedule import set_step
from tinyemo_data.settings import ProjectorSettings

WORTH_THREADS = 2**26  # multiplications a step


@dataclass(frozen=True)
class EpochLog:
    """What one epoch did."""

    epoch: int  # from 1
    epochs: int
    train_loss: float
    validation_loss: float
    validation_top1: float  # 0–1, each row among the labels of its own taxonomy
    learning_rate: float  # of the last step
    seconds: float = field(compare=False)


@dataclass(frozen=True)
class TrainedProjector:
    """A projector with the weights of its best epoch, in evaluation mode, and how it came about."""

    projector: MetricProjector
    seed: int
    best_epoch: int
    log: list[EpochLog]


def prototypes_in_use(prototypes: Prototypes, settings: ProjectorSettings) -> Prototypes:
    """Return the prototypes that a projector of these settings learns from and predicts with."""
    return prototypes.centred() if settings.center_prototypes else prototypes


def train_projector(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    seed: int,
    progress: Callable[[EpochLog], None] | None = None,
    weights: Tensor | None = None,
    keep_epoch: int | None = None,
) -> TrainedProjector:
    """Train one projector on `labelled` (train rows alone) and return it with the weights of its best epoch.

    `progress` is called after each epoch. `weights` (N,), positive, say how much each row's loss counts against
    the mean row's; they change neither which rows are held out nor the order in which rows come. `keep_epoch`
    ends training with that epoch and keeps its weights, whatever its loss: two courses that differ in one thing
    alone are compared at one epoch. Raises TrainingError where the rows can't be learnt from or the loss is no
    number, CheckpointError where a label has no prototype.
    """
    check_trainable(labelled)
    if keep_epoch is not None and not 1 <= keep_epoch <= settings.epochs:
        raise TrainingError(f"keep_epoch is {keep_epoch}; there are the epochs 1 to {settings.epochs}.")
    known = vocabulary(labelled.taxonomies, prototypes_in_use(prototypes, settings))
    rows = replace(training_rows(labelled, known), weights=_of_mean_one(weights, len(labelled)))
    kept, held_out = held_out_part(labelled, settings.validation_fraction, seed)
    # Dropout draws from the global generator: it is seeded here and put back afterwards.
    size = rows.features.shape[1] + known.texts.shape[1]
    with _threads_for(settings.batch_size * size * known.texts.shape[1]), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        course = Course(rows.select(kept), rows.select(held_out), known, settings, seed)
        return course.run(progress, keep_epoch)


def _of_mean_one(weights: Tensor | None, rows: int) -> Tensor | None:
    if weights is None:
        return None
    if weights.shape != (rows,):
        raise TrainingError(
            f"Expected one weight for each of {rows} training rows; found shape {tuple(weights.shape)}."
        )
    if not bool((torch.isfinite(weights) & (weights > 0)).all()):
        raise TrainingError(f"Weights of training rows must be positive; the least is {weights.min():g}.")
    return (weights.double() / weights.double().mean()).float()


@contextlib.contextmanager
def _threads_for(multiplications: int) -> Iterator[None]:
    """Compute steps of so few multiplications on one thread.

    Their threads would mostly wait for each other, on a busy machine many times as long as the step takes.
    """
    threads = torch.get_num_threads()
    try:
        if multiplications < WORTH_THREADS:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)


def batch_loss(v: Tensor, rows: TrainingRows, texts: Tensor, known: Vocabulary, settings: ProjectorSettings) -> Tensor:
    """Return settings.loss of projections `v` (B, h) of unit length, with `texts` (B,) into `known.texts`."""
    t = known.texts[texts]
    match settings.loss:
        case "cosine":
            return losses.cosine(v, t, settings.margin, rows.weights)
        case "nt_xent":
            return losses.nt_xent(v, t, rows.labels, settings.temperature, own_text=True, weights=rows.weights)
        case "info_nce":
            return losses.info_nce(v, t, rows.labels, known.text_ids[texts], settings.temperature, rows.weights)
        case "info_nce_original":
            return losses.info_nce_original(v, t, rows.labels, settings.temperature, rows.weights)
        case "prototype_softmax":
            candidates = known.candidates[rows.taxonomies]
            prototypes, temperature = known.prototypes, settings.temperature
            return losses.prototype_softmax(v, t, rows.labels, prototypes, candidates, temperature, rows.weights)


class Course:
    """One training course: network, optimizer, random numbers and the best weights so far."""

    def __init__(
        self,
        train: TrainingRows,
        held_out: TrainingRows,
        known: Vocabulary,
        settings: ProjectorSettings,
        seed: int,
    ) -> None:
        self.train, self.known, self.settings = train, known, settings
        self.generator = torch.Generator().manual_seed(seed)
        # One fixed order, mixed so that contrastive losses see several labels a batch.
        self.held_out = held_out.select(epoch_order(held_out.labels, settings.class_balancing, self.generator))
        self.projector = initial_projector(train.features.shape[1], known.texts.shape[1], settings.dropout, seed)
        # `fused` is the same formula in one pass over the weights instead of a dozen.
        self.optimizer = AdamW(
            self.projector.parameters(),
            lr=settings.max_learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.batches = batches_of(len(train), settings.batch_size)
        self.steps = 0
        self.learning_rate = 0.0

    def run(self, progress: Callable[[EpochLog], None] | None, keep_epoch: int | None = None) -> TrainedProjector:
        """Train until the epochs or the patience end; return the projector with its best (or that) epoch's weights."""
        log: list[EpochLog] = []
        best_loss, best_epoch, best_weights = math.inf, 0, self.projector.state_dict()
        for epoch in range(1, self.settings.epochs + 1):
            log.append(self._epoch(epoch))
            if progress:
                progress(log[-1])
            last = epoch == keep_epoch
            if last or (keep_epoch is None and log[-1].validation_loss < best_loss):
                best_loss, best_epoch = log[-1].validation_loss, epoch
                best_weights = {key: value.clone() for key, value in self.projector.state_dict().items()}
            if last or (keep_epoch is None and epoch - best_epoch >= self.settings.patience):
                break
        self.projector.load_state_dict(best_weights)
        return TrainedProjector(self.projector.eval(), self.generator.initial_seed(), best_epoch, log)

    def _epoch(self, epoch: int) -> EpochLog:
        began = time.perf_counter()
        train_loss = self.train_epoch()
        validation_loss, top1 = self._validate()
        for name, loss in (("training", train_loss), ("validation", validation_loss)):
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The {name} loss is {loss} in epoch {epoch} of seed {self.generator.initial_seed()} "
                    f"(loss {self.settings.loss}). Lower projector.max_learning_rate "
                    f"({self.settings.max_learning_rate}) or raise projector.temperature "
                    f"({self.settings.temperature})."
                )
        seconds = time.perf_counter() - began
        epochs = self.settings.epochs
        return EpochLog(epoch, epochs, train_loss, validation_loss, top1, self.learning_rate, seconds)

    def train_epoch(self) -> float:
        """Learn from every row once (or N balanced draws) and return the mean loss."""
        self.projector.train()
        labels = self.train.labels
        order = epoch_order(labels, self.settings.class_balancing, self.generator)
        texts = drawn_texts(labels, self.known, self.settings.synonym_probability, self.generator)
        total = torch.zeros(())
        for rows in order.tensor_split(self.batches):
            total += self._step(self.train.select(rows), texts[rows]) * len(rows)
        return float(total) / len(order)

    def _step(self, rows: TrainingRows, texts: Tensor) -> Tensor:
        settings = self.settings
        total_steps = self.batches * settings.epochs
        self.learning_rate = set_step(
            self.optimizer, self.steps, total_steps, settings.max_learning_rate, settings.warmup_fraction
        )
        v = functional.normalize(self.projector(rows.features), dim=1)
        loss = batch_loss(v, rows, texts, self.known, settings)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.steps += 1
        return loss.detach()

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        self.projector.eval()
        total, right = 0.0, 0
        rows = self.held_out
        for chosen in torch.arange(len(rows)).tensor_split(batches_of(len(rows), self.settings.batch_size)):
            part = rows.select(chosen)
            v = functional.normalize(self.projector(part.features), dim=1)
            total += float(batch_loss(v, part, part.labels, self.known, self.settings)) * len(part)
            similarities = (v @ self.known.prototypes.T).masked_fill(
                ~self.known.candidates[part.taxonomies], -torch.inf
            )
            right += int((similarities.argmax(dim=1) == part.labels).sum())
        return total / len(rows), right / len(rows)
