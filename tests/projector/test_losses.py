"""Each loss against loops that spell its formula out; pytorch-metric-learning is the oracle of NT-Xent."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import NTXentLoss
from torch import Tensor
from torch.nn import functional

from tinyemo_data.projector import losses

H = 6


def batch(labels: list[int], dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Random unit rows v, the unit text of each row's label, and the labels."""
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(len(labels), H, generator=generator, dtype=torch.float64)
    texts = torch.randn(max(labels, default=0) + 1, H, generator=generator, dtype=torch.float64)
    numbers = torch.tensor(labels, dtype=torch.long)
    unit_v, unit_t = functional.normalize(v, dim=1), functional.normalize(texts, dim=1)[numbers]
    return unit_v.to(dtype).requires_grad_(), unit_t.to(dtype), numbers


def looped_info_nce(v: Tensor, t: Tensor, labels: list[int], temperature: float, texts: list[int]) -> float:
    total = 0.0
    for i in range(len(labels)):
        own = math.exp(float(v[i] @ t[i]) / temperature)
        negatives = sum(
            math.exp(float(v[i] @ t[j]) / temperature)
            for j in range(len(labels))
            if labels[j] != labels[i] and texts[j] != texts[i]
        )
        total += -math.log(own / (own + negatives))
    return total / len(labels)


def looped_original(v: Tensor, t: Tensor, labels: list[int], temperature: float) -> float:
    """The original's procedure, step by step: it slices off as many entries as there are other positives."""
    losses_of_rows = []
    for i, label in enumerate(labels):
        others = [j for j, other in enumerate(labels) if other == label and j != i]
        negatives = [j for j, other in enumerate(labels) if other != label]
        if not others or not negatives:
            continue
        entries = [math.exp(float(v[i] @ t[j]) / temperature) for j in [i, *negatives]]
        losses_of_rows.append(-math.log(sum(entries[: len(others)]) / sum(entries)))
    return sum(losses_of_rows) / len(losses_of_rows) if losses_of_rows else 0.0


LABELS = pytest.mark.parametrize(
    "labels",
    [
        pytest.param([0, 1, 2, 3], id="all-different"),
        pytest.param([0, 1, 0, 2, 0, 1], id="repeated"),
        pytest.param([0, 1], id="two"),
        pytest.param([0] * 5 + [1], id="one-odd-one-out"),
        pytest.param([i % 6 for i in range(40)], id="emotion6-like"),
    ],
)


def library(v: Tensor, t: Tensor, labels: Tensor, temperature: float, own_text: bool) -> Tensor:
    """The library drops the pairs (i, i) where it is given one label tensor twice."""
    reference = labels.clone() if own_text else labels
    loss = NTXentLoss(temperature)(v, labels, ref_emb=t, ref_labels=reference)
    assert isinstance(loss, Tensor)
    return loss


OWN_TEXT = pytest.mark.parametrize("own_text", [False, True], ids=["as-the-original", "own-text"])


@LABELS
@OWN_TEXT
@pytest.mark.parametrize("temperature", [0.07, 0.5])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 5e-2), (torch.float16, 1e-2)],
    ids=["float64", "float32", "bfloat16", "float16"],
)
def test_nt_xent_equals_the_library(
    labels: list[int], own_text: bool, temperature: float, dtype: torch.dtype, tolerance: float
) -> None:
    v, t, numbers = batch(labels, dtype)
    expected = library(v, t, numbers, temperature, own_text).to(dtype)
    found = losses.nt_xent(v, t, numbers, temperature, own_text)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@LABELS
@OWN_TEXT
def test_nt_xent_has_the_gradient_of_the_library(labels: list[int], own_text: bool) -> None:
    v, t, numbers = batch(labels)
    (expected,) = torch.autograd.grad(library(v, t, numbers, 0.2, own_text), v)
    (found,) = torch.autograd.grad(losses.nt_xent(v, t, numbers, 0.2, own_text), v)
    # The library normalises once more, which takes the part of the gradient along v away.
    along = (found * v).sum(dim=1, keepdim=True)
    torch.testing.assert_close(found - along * v, expected)


def test_nt_xent_keeps_the_floor_of_the_library_when_the_temperature_is_tiny() -> None:
    v, t, numbers = batch([0, 1, 2, 0], torch.float32)
    expected = library(v, t, numbers, 0.001, own_text=True)
    torch.testing.assert_close(losses.nt_xent(v, t, numbers, 0.001, own_text=True), expected)


def test_nt_xent_is_zero_and_differentiable_when_all_labels_are_equal() -> None:
    v, t, numbers = batch([2, 2, 2])
    loss = losses.nt_xent(v, t, numbers)
    (gradient,) = torch.autograd.grad(loss, v)
    assert loss.item() == library(v, t, numbers, 0.07, own_text=False).item() == 0.0
    assert float(gradient.abs().sum()) == 0.0


def test_cosine_is_the_mean_distance_to_the_own_text() -> None:
    v, t, _ = batch([0, 1, 0])
    expected = sum(1 - float(v[i] @ t[i]) for i in range(3)) / 3
    assert float(losses.cosine(v, t)) == pytest.approx(expected)
    assert float(losses.cosine(v, t, margin=-0.9)) == pytest.approx(expected)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.floats(0.05, 2),
    st.integers(0, 99),
)
def test_info_nce_equals_its_loop(labels: list[int], temperature: float, seed: int) -> None:
    v, t, numbers = batch(labels, seed=seed)
    loss = losses.info_nce(v, t, numbers, numbers, temperature)
    (gradient,) = torch.autograd.grad(loss, v)
    assert float(loss) == pytest.approx(looped_info_nce(v, t, labels, temperature, labels), abs=1e-9)
    assert bool(torch.isfinite(gradient).all())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.floats(0.05, 2),
    st.integers(0, 99),
)
def test_info_nce_original_equals_its_loop(labels: list[int], temperature: float, seed: int) -> None:
    v, t, numbers = batch(labels, seed=seed)
    loss = losses.info_nce_original(v, t, numbers, temperature)
    (gradient,) = torch.autograd.grad(loss, v)
    assert float(loss) == pytest.approx(looped_original(v, t, labels, temperature), abs=1e-9)
    assert bool(torch.isfinite(gradient).all())


def test_info_nce_original_counts_negatives_as_positives_when_a_label_repeats() -> None:
    """The original's fault 4: with three rows of a label, another label's text is as good as its own."""
    texts = torch.eye(3, dtype=torch.float64)
    numbers = torch.tensor([0, 0, 0, 1, 2])
    t = texts[numbers]
    at_other_text = t.clone()
    at_other_text[:3] = texts[1]
    assert torch.isclose(losses.info_nce_original(at_other_text, t, numbers), losses.info_nce_original(t, t, numbers))
    mended_right = losses.info_nce(t, t, numbers, numbers)
    assert losses.info_nce(at_other_text, t, numbers, numbers) > 1000 * mended_right
    between = functional.normalize(t + at_other_text, dim=1).requires_grad_()
    (original,) = torch.autograd.grad(losses.info_nce_original(between, t, numbers, 0.5), between)
    (mended,) = torch.autograd.grad(losses.info_nce(between, t, numbers, numbers, 0.5), between)
    # Descent moves against the gradient: the original towards the other label's text, the mended one away.
    assert float(original[0] @ texts[1]) < 0 < float(mended[0] @ texts[1])


def test_info_nce_never_takes_an_equal_text_as_negative_when_its_label_differs() -> None:
    v, t, _ = batch([0, 0, 1])
    labels, texts = [0, 1, 2], [0, 0, 1]
    loss = losses.info_nce(v, t, torch.tensor(labels), torch.tensor(texts), 0.5)
    assert float(loss) == pytest.approx(looped_info_nce(v, t, labels, 0.5, texts))


def test_info_nce_keeps_a_label_that_occurs_once_which_the_original_leaves_out() -> None:
    v, t, numbers = batch([0, 1, 2])
    assert float(losses.info_nce_original(v, t, numbers)) == 0.0
    assert float(losses.info_nce(v, t, numbers, numbers)) > 0.0


def test_prototype_softmax_equals_its_loop_over_the_own_taxonomy() -> None:
    generator = torch.Generator().manual_seed(3)
    prototypes = functional.normalize(torch.randn(5, H, generator=generator, dtype=torch.float64), dim=1)
    offered = [[0, 1, 2], [0, 1, 2], [2, 3, 4]]
    labels = [0, 2, 4]
    v, _, numbers = batch(labels)
    synonym = functional.normalize(torch.randn(H, generator=generator, dtype=torch.float64), dim=0)
    t = prototypes[numbers].clone()
    t[1] = synonym
    candidates = torch.tensor([[word in row for word in range(5)] for row in offered])
    expected = 0.0
    for i, label in enumerate(labels):
        logits = {word: float(v[i] @ (t[i] if word == label else prototypes[word])) / 0.3 for word in offered[i]}
        expected += -math.log(math.exp(logits[label]) / sum(math.exp(value) for value in logits.values())) / 3
    found = losses.prototype_softmax(v, t, numbers, prototypes, candidates, 0.3)
    assert float(found) == pytest.approx(expected)


def test_losses_are_zero_and_differentiable_when_the_batch_is_empty() -> None:
    v, t, numbers = batch([])
    prototypes = torch.eye(3, H, dtype=torch.float64)
    empty = torch.ones(0, 3, dtype=torch.bool)
    for loss in (
        losses.cosine(v, t),
        losses.nt_xent(v, t, numbers),
        losses.info_nce(v, t, numbers, numbers),
        losses.info_nce_original(v, t, numbers),
        losses.prototype_softmax(v, t, numbers, prototypes, empty),
    ):
        assert float(loss.detach()) == 0.0
        assert torch.autograd.grad(loss, v)[0].shape == (0, H)


def test_nt_xent_takes_a_batch_whose_pairs_would_fill_hundreds_of_gigabytes_in_the_library() -> None:
    labels = [i % 6 for i in range(1024)]
    v, t, numbers = batch(labels, torch.float32)
    s = (v @ t.T / 0.5).double()
    expected = 0.0
    for label in range(6):
        rows = numbers == label
        negatives = s[rows][:, ~rows].exp().sum(dim=1)
        positives = s[rows][:, rows]
        expected += float(-(positives - (positives.exp() + negatives[:, None]).log()).sum())
    pairs = int((numbers[:, None] == numbers[None, :]).sum())
    assert float(losses.nt_xent(v, t, numbers, 0.5, own_text=True)) == pytest.approx(expected / pairs, rel=1e-5)
