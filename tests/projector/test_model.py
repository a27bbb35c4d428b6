"""The network is the original's: its layers, its state-dict keys, its arithmetic."""

import pytest
import torch
from torch import nn

from tinyemo_data.errors import CheckpointError
from tinyemo_data.projector.model import MetricProjector, initial_projector, projector_of

KEYS = [
    "model.0.weight",
    "model.0.bias",
    "model.1.weight",
    "model.1.bias",
    "model.1.running_mean",
    "model.1.running_var",
    "model.1.num_batches_tracked",
    "model.4.weight",
    "model.4.bias",
]


def test_projector_has_the_state_dict_keys_of_the_released_weights() -> None:
    assert list(MetricProjector(5, 3).state_dict()) == KEYS


@torch.no_grad()
def test_projector_computes_the_formula_spelled_out_in_evaluation_mode() -> None:
    projector = initial_projector(5, 3, 0.2, seed=0).eval()
    weights = projector.state_dict()
    weights["model.1.running_mean"].copy_(torch.tensor([0.1, -0.2, 0.3]))
    weights["model.1.running_var"].copy_(torch.tensor([0.5, 1.5, 2.5]))
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(1)).half()
    hidden = x.float() @ weights["model.0.weight"].T + weights["model.0.bias"]
    scale = (weights["model.1.running_var"] + 1e-5).sqrt()
    normed = (hidden - weights["model.1.running_mean"]) / scale * weights["model.1.weight"] + weights["model.1.bias"]
    active = normed * 0.5 * (1 + torch.erf(normed / 2**0.5))
    expected = active @ weights["model.4.weight"].T + weights["model.4.bias"]
    torch.testing.assert_close(projector(x), expected)


def test_projector_drops_hidden_values_only_while_training() -> None:
    projector = MetricProjector(5, 3, dropout=0.4)
    (dropout,) = [layer for layer in projector.modules() if isinstance(layer, nn.Dropout)]
    assert dropout.p == 0.4
    x = torch.randn(6, 5)
    projector.eval()
    assert torch.equal(projector(x), projector(x))
    projector.train()
    assert not torch.equal(projector(x), projector(x))


def test_initial_projector_depends_on_the_seed_alone_and_leaves_the_global_state() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (initial_projector(5, 3, 0.2, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.state_dict()["model.0.weight"], same.state_dict()["model.0.weight"])
    assert not torch.equal(one.state_dict()["model.0.weight"], other.state_dict()["model.0.weight"])


def test_projector_of_reads_the_sizes_from_the_weights() -> None:
    weights = initial_projector(7, 4, 0.2, seed=0).state_dict()
    projector = projector_of(weights, "here")
    assert (projector.d, projector.h, projector.training) == (7, 4, False)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        pytest.param("model.0.weight", None, "expected a matrix 'model.0.weight'", id="no-first-layer"),
        pytest.param("model.4.bias", None, "model.4.bias", id="no-last-bias"),
        pytest.param("model.7.weight", torch.zeros(2), "model.7.weight", id="unknown-key"),
        pytest.param("model.1.weight", torch.zeros(9), "model.1.weight", id="another-shape"),
    ],
)
def test_projector_of_names_the_key_when_the_weights_are_of_another_network(
    key: str, value: torch.Tensor | None, message: str
) -> None:
    weights = dict(initial_projector(7, 4, 0.2, seed=0).state_dict())
    weights.pop(key, None)
    if value is not None:
        weights[key] = value
    with pytest.raises(CheckpointError, match=message) as error:
        projector_of(weights, "some.bin")
    assert "some.bin" in str(error.value)
