"""The one-cycle schedule against PyTorch's."""

import pytest
import torch
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import OneCycleLR

from tinyemo_data.projector.schedule import one_cycle, set_step


@pytest.mark.parametrize("steps", [1, 2, 20, 55, 199, 201, 600, 1000])
@pytest.mark.parametrize("warmup_fraction", [0.005, 0.3])
def test_one_cycle_equals_pytorch_at_every_step(steps: int, warmup_fraction: float) -> None:
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))])
    scheduler = OneCycleLR(optimizer, max_lr=5e-4, total_steps=steps, pct_start=warmup_fraction)
    for step in range(steps):
        group = optimizer.param_groups[0]
        assert one_cycle(step, steps, 5e-4, warmup_fraction) == pytest.approx((group["lr"], group["betas"][0]))
        optimizer.step()
        if step < steps - 1:
            scheduler.step()


def test_one_cycle_starts_at_the_highest_rate_when_the_warm_up_is_one_step_long() -> None:
    with pytest.raises(ZeroDivisionError):
        OneCycleLR(SGD([torch.nn.Parameter(torch.zeros(1))]), max_lr=1.0, total_steps=200, pct_start=0.005)
    assert one_cycle(0, 200, 1.0, 0.005) == (1.0, 0.85)
    assert one_cycle(199, 200, 1.0, 0.005) == pytest.approx((4e-6, 0.95))


def test_set_step_keeps_the_second_beta() -> None:
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))], betas=(0.9, 0.99))
    learning_rate = set_step(optimizer, 3, 10, 0.1, 0.005)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"]) == (learning_rate, (one_cycle(3, 10, 0.1, 0.005)[1], 0.99))
