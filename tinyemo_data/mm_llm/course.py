"""The course of a stage: loss and learning rate over its steps, and what is reported while it trains."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from transformers import TrainerCallback

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.order import EpochOrder
from tinyemo_data.progress import Meter, Report

OF_THE_RUN = {"tokens", "seconds", "tokens_per_second", "resumed_at"}


@dataclass(frozen=True)
class Point:
    """One logged step of training."""

    step: int
    loss: float  # mean over the tokens that are learnt, since the point before
    learning_rate: float


@dataclass(frozen=True)
class Validation:
    """One validation."""

    step: int
    loss: float


@dataclass(frozen=True)
class Course:
    """How a stage went."""

    points: list[Point]
    validations: list[Validation]
    steps: int
    tokens: int  # that this run has seen, padding not counted; a resumed run counts from its resumption
    seconds: float  # of this run
    tokens_per_second: float
    resumed_at: int | None  # step
    best_step: int | None  # whose weights were kept; None where nothing was held out
    padding: float = field(default=0.0)  # share of the batches' tokens

    def as_dict(self) -> dict[str, Any]:
        """Return as JSON takes it what is equal for equal inputs: not how fast it went, nor what was killed between."""
        return {name: value for name, value in asdict(self).items() if name not in OF_THE_RUN}


class Watch(TrainerCallback):
    """Reports tokens a second and time left at each step, and stops where the loss is no number."""

    def __init__(self, order: EpochOrder, report: Report | None) -> None:
        """Watch a run over `order`; `report` may be None."""
        self.order, self.report = order, report
        self.tokens = 0
        self.detail = ""
        self.meter: Meter | None = None
        self._epoch, self._by_update = -1, order.lengths

    @property
    def updates(self) -> int:
        """Updates an epoch."""
        return len(self.order) // self.order.update

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Start the clock; what a killed run had done counts as done, not as speed."""
        total = round(float(self.order.lengths.mean()) * self.order.update * (state.max_steps - state.global_step))
        self.meter = Meter(total, self.report if state.is_world_process_zero else None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count the tokens of the update; have the last one validated, whatever the interval."""
        if state.global_step >= state.max_steps and args.eval_strategy != "no":
            control.should_evaluate = True
        epoch, update = divmod(state.global_step - 1, self.updates)
        if epoch != self._epoch:
            self._epoch, self._by_update = epoch, self.order.tokens_by_update(epoch)
        tokens = int(self._by_update[update])
        self.tokens += tokens
        if self.meter is not None:
            self.meter.advance(tokens, f"step {state.global_step} of {state.max_steps}{self.detail}")

    def on_log(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ARG002
        """Remember what is told beside the bar. Raises MMLLMError for a loss that is no number."""
        logs: dict[str, float] = told.get("logs") or {}
        loss = logs.get("loss")
        if loss is None:
            return
        if not math.isfinite(loss):
            raise MMLLMError(
                f"The loss is {loss} at step {state.global_step}. Lower the learning rate, or train in fp32 "
                "(mm_llm.precision); the last checkpoint is kept."
            )
        self.detail = f", loss {loss:.3f}, learning rate {logs.get('learning_rate', 0):.1e}"


def course_of(state: Any, watch: Watch, resumed_at: int | None, padding: float) -> Course:
    """Return the course that a trainer's state and its watch tell."""
    points = [Point(e["step"], e["loss"], e["learning_rate"]) for e in state.log_history if "loss" in e]
    validations = [Validation(e["step"], e["eval_loss"]) for e in state.log_history if "eval_loss" in e]
    seconds = watch.meter.seconds if watch.meter else 0.0
    return Course(
        points, validations, state.global_step, watch.tokens, seconds, watch.tokens / seconds if seconds else 0.0,
        resumed_at, state.best_global_step if validations else None, padding,
    )  # fmt: skip
