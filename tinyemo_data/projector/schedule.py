"""The one-cycle schedule of learning rate and momentum (Smith & Topin 2019), as PyTorch's `OneCycleLR` has
it.

`OneCycleLR` divides by zero where the warm-up is exactly one step long (200 steps at the original's fraction
of 0.005), which is why the formula is here once more.
"""

import math

from torch.optim import Optimizer

START_DIVISOR = 25.0  # the first learning rate is the highest / 25
END_DIVISOR = 1e4  # the last is the first / 10,000
LOW_MOMENTUM, HIGH_MOMENTUM = 0.85, 0.95  # AdamW's beta1, low where the learning rate is high


def one_cycle(step: int, steps: int, highest: float, warmup_fraction: float) -> tuple[float, float]:
    """Return (learning rate, beta1) of a step in 0 … steps-1: cosine up in the warm-up, then cosine down."""
    warmup_end = warmup_fraction * steps - 1
    lowest = highest / START_DIVISOR
    if step <= warmup_end:
        done = step / warmup_end if warmup_end > 0 else 1.0
        return _between(lowest, highest, done), _between(HIGH_MOMENTUM, LOW_MOMENTUM, done)
    done = (step - warmup_end) / (steps - 1 - warmup_end)
    return _between(highest, lowest / END_DIVISOR, done), _between(LOW_MOMENTUM, HIGH_MOMENTUM, done)


def set_step(optimizer: Optimizer, step: int, steps: int, highest: float, warmup_fraction: float) -> float:
    """Give the optimizer the step's learning rate and beta1; return the learning rate."""
    learning_rate, beta1 = one_cycle(step, steps, highest, warmup_fraction)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
        group["betas"] = (beta1, group["betas"][1])
    return learning_rate


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)
