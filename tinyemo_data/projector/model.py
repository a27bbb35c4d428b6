"""The Metric Projector's network: `Linear → BatchNorm → GELU → Dropout → Linear` (TinyEmo, §3.1)."""

import torch
from torch import Tensor, nn

from tinyemo_data.errors import CheckpointError

# Embedding widths of the language models that released projectors were trained for.
LANGUAGE_MODEL_WIDTHS = {
    1280: "OpenELM-270M",
    1536: "OpenELM-450M",
    2048: "TinyLlama-1.1B",
    2560: "Phi-2",
    3072: "Phi-3-mini",
}


class MetricProjector(nn.Module):
    """Carries pooled picture features (d) into a language model's embedding space (h).

    Its state-dict keys are those of the released weights: `model.0.*`, `model.1.*` and `model.4.*`.
    """

    def __init__(self, d: int, h: int, dropout: float = 0.2) -> None:
        """Make a projector from size `d` to size `h`, with PyTorch's initial weights."""
        super().__init__()
        self.d, self.h = d, h
        self.model = nn.Sequential(
            nn.Linear(d, h),
            nn.BatchNorm1d(h),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(h, h),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Project features (N, d) of any float type to embeddings (N, h) float32, neither of unit length."""
        projected: Tensor = self.model(x.float())
        return projected


def initial_projector(d: int, h: int, dropout: float, seed: int) -> MetricProjector:
    """Return a projector whose weights depend on `seed` alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MetricProjector(d, h, dropout)


def projector_of(weights: dict[str, Tensor], origin: str, dropout: float = 0.2) -> MetricProjector:
    """Build the projector that `weights` are of, with its sizes read from them.

    Raises CheckpointError naming `origin` where a key is missing, unknown or of another shape.
    """
    d, h = sizes(weights, origin)
    projector = MetricProjector(d, h, dropout)
    try:
        projector.load_state_dict(weights)
    except RuntimeError as exc:
        raise CheckpointError(
            f"{origin}: these are no Metric Projector weights: {exc}. Expected a plain state dict with the "
            f"keys {', '.join(projector.state_dict())}. Download the file again, or give another one."
        ) from exc
    return projector.eval()


def sizes(weights: dict[str, Tensor], origin: str) -> tuple[int, int]:
    """Return (d, h) of a state dict. Raises CheckpointError where its two linear layers are not there."""
    for key in ("model.0.weight", "model.4.weight"):
        if key not in weights or weights[key].ndim != 2:
            found = ", ".join(sorted(weights)[:8]) or "none"
            raise CheckpointError(
                f"{origin}: expected a matrix '{key}' as in the released projectors; found the keys {found}. "
                "Give a Metric Projector's plain state dict (.bin or .safetensors)."
            )
    return int(weights["model.0.weight"].shape[1]), int(weights["model.4.weight"].shape[0])


def width_hint(h: int) -> str:
    """Return ` (the width of <language model>)` for a width that a released projector has, else nothing."""
    name = LANGUAGE_MODEL_WIDTHS.get(h)
    return f" (the width of {name})" if name else ""
