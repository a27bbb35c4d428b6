"""The picture encoder: the visual tower of any open_clip model, pooled and un-normalised.

The Metric Projector was trained on `encode_image` features as they come, with their norms (16–23 for
ViT-L/14), so nothing is normalised here.
"""

import contextlib
import hashlib
import logging
import pickle
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch

from tinyemo_data.errors import EncoderError, nearest
from tinyemo_data.features.identity import EncoderIdentity, encoder_slug, is_checkpoint_path, pretrained_name
from tinyemo_data.features.preprocess import Preprocessing
from tinyemo_data.settings import EncoderSettings

CONFIGS = Path(__file__).parent / "configs"  # architectures of our own, in open_clip's JSON
# Weights of our own by architecture and tag; sample_corpus/encoder_weights.py made them.
SHIPPED = {("tinyemo-clip", "drawn"): CONFIGS / "tinyemo-clip-drawn.safetensors"}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# What open_clip, torch and safetensors raise for weights that are absent, damaged or of another shape.
UNBUILDABLE = (
    RuntimeError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    pickle.UnpicklingError,
)


class Encoder:
    """A visual tower on its device, with all that its features depend on."""

    def __init__(self, settings: EncoderSettings) -> None:
        """Build the model that `settings` names. Raises EncoderError for what is unknown or does not fit."""
        self.device = choose_device(settings.device)
        self.batch_size = settings.batch_size
        self.dtype = DTYPES[settings.precision]
        self.visual, self.preprocessing = _build(settings)
        weights_digest = _weights_digest(self.visual)
        self.visual.to(self.device)
        self.identity = EncoderIdentity(
            slug=encoder_slug(settings),
            model=settings.model,
            pretrained=pretrained_name(settings),
            weights_digest=weights_digest,
            preprocessing_digest=self.preprocessing.digest,
            precision=settings.precision,
            dimension=self._measure_dimension(),
        )

    def encode(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Encode (3, height, width) uint8 crops; return their (B, D) float16 features on the CPU."""
        if not crops:
            return torch.empty((0, self.identity.dimension), dtype=torch.float16)
        return self._forward(torch.stack([crop.contiguous() for crop in crops])).to("cpu", torch.float16)

    @torch.inference_mode()
    def _forward(self, crops: torch.Tensor) -> torch.Tensor:
        if self.device.type == "cuda":
            crops = crops.pin_memory().to(self.device, non_blocking=True)
        pooled = self.visual(self.preprocessing.normalise(crops, self.dtype))
        features: torch.Tensor = pooled[0] if isinstance(pooled, tuple) else pooled  # CoCa gives its tokens too
        return features

    def _measure_dimension(self) -> int:
        blank = torch.zeros((1, 3, self.preprocessing.height, self.preprocessing.width), dtype=torch.uint8)
        return int(self._forward(blank).shape[-1])


def choose_device(name: str) -> torch.device:
    """Return the device that `name` means; `auto` is CUDA where there is some. Raises EncoderError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as exc:
        raise EncoderError(f"encoder.device: there is no device '{name}'. Give auto, cpu, cuda or cuda:<n>.") from exc
    if device.type not in {"cpu", "cuda"}:
        raise EncoderError(f"encoder.device: '{name}' is not supported. Give auto, cpu, cuda or cuda:<n>.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EncoderError(
            f"encoder.device: '{name}' is asked for, but torch sees {torch.cuda.device_count()} CUDA devices "
            "here. Give auto or cpu."
        )
    return device


def model_names() -> list[str]:
    """Return the names of all architectures: open_clip's and this project's own."""
    return [str(name) for name in _open_clip().list_models()]


def build_untrained(name: str) -> tuple[Any, Preprocessing]:
    """Return an architecture of `model_names()` with random weights, whole, in training mode, and its preprocessing."""
    with _without_warnings(quiet=True):
        model = _open_clip().create_model(name)
    return model.train(), _preprocessing(_open_clip().get_model_preprocess_cfg(model), "exact")


@cache
def _open_clip() -> Any:
    import open_clip

    open_clip.add_model_config(CONFIGS)
    return open_clip


def _build(settings: EncoderSettings) -> tuple[torch.nn.Module, Preprocessing]:
    """Return the visual tower on the CPU, ready to encode, and its preprocessing."""
    _check_names(settings)
    open_clip = _open_clip()
    try:
        with torch.random.fork_rng(devices=[]), _without_warnings(settings.pretrained is None):
            torch.manual_seed(settings.seed)
            model = open_clip.create_model(
                settings.model,
                pretrained=_weights(settings),
                precision=settings.precision,
                pretrained_text=False,
            )
    except UNBUILDABLE as exc:
        raise EncoderError(
            f"encoder: '{settings.model}' can't be built with the weights '{settings.pretrained}': {_reason(exc)}. "
            "A tag needs a network or open_clip's cache; else give `pretrained` the path of a checkpoint of "
            "this very model."
        ) from exc
    preprocessing = _preprocessing(open_clip.get_model_preprocess_cfg(model), settings.decode)
    visual: torch.nn.Module = model.visual.eval().requires_grad_(False)
    return visual, preprocessing


def _weights(settings: EncoderSettings) -> str | None:
    """Return what open_clip calls `pretrained`: a tag, a path, or None."""
    shipped = SHIPPED.get((settings.model, settings.pretrained or ""))
    return str(shipped) if shipped else settings.pretrained


def _reason(exc: Exception) -> str:
    # torch's own advice, to load with `weights_only=False`, would run whatever the file holds.
    return "the file holds no plain state dict, and nothing else is loaded" if "weights_only" in str(exc) else str(exc)


def _check_names(settings: EncoderSettings) -> None:
    if settings.model not in model_names():
        raise EncoderError(
            f"encoder.model: open_clip has no model '{settings.model}'."
            f"{nearest(settings.model, model_names())} `open_clip.list_models()` lists them."
        )
    if settings.pretrained is None:
        return
    if is_checkpoint_path(settings.pretrained):
        if not Path(settings.pretrained).is_file():
            raise EncoderError(f"encoder.pretrained: there is no file {settings.pretrained}.")
        return
    tags = [str(tag) for tag in _open_clip().list_pretrained_tags_by_model(settings.model)]
    tags += [tag for model, tag in SHIPPED if model == settings.model]
    if settings.pretrained not in tags:
        raise EncoderError(
            f"encoder.pretrained: '{settings.model}' has no weights tagged '{settings.pretrained}'."
            f"{nearest(settings.pretrained, tags)} Known: {', '.join(tags) or 'none'}; "
            "or give a checkpoint's path."
        )


def _preprocessing(declared: dict[str, Any], decode: Literal["exact", "scaled"]) -> Preprocessing:
    size = declared["size"]
    height, width = size if isinstance(size, tuple | list) else (size, size)
    return Preprocessing(
        height=int(height),
        width=int(width),
        mean=tuple(float(value) for value in declared["mean"]),
        std=tuple(float(value) for value in declared["std"]),
        interpolation="bilinear" if declared.get("interpolation") == "bilinear" else "bicubic",
        resize_mode=declared.get("resize_mode") or "shortest",
        fill_color=int(declared.get("fill_color") or 0),
        decode=decode,
    )


def _weights_digest(visual: torch.nn.Module) -> str:
    """Return the SHA-256 of the tower's tensors: names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(visual.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().contiguous().cpu().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


@contextlib.contextmanager
def _without_warnings(quiet: bool) -> Iterator[None]:
    """Keep open_clip from warning that weights are random where the settings ask for just that."""
    before = logging.root.manager.disable
    if quiet:
        logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
