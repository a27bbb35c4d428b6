"""Which encoder made a feature: its slug names the folder, its fingerprint decides what may be mixed."""

import hashlib
import re
from pathlib import PurePath
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from tinyemo_data.settings import EncoderSettings

CHECKPOINT_SUFFIXES = {".pt", ".pth", ".bin", ".safetensors", ".npz", ".ckpt"}


class EncoderIdentity(BaseModel):
    """All that a feature's values depend on, but the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str
    model: str
    pretrained: str  # a tag, a checkpoint's stem, `seed<n>` or `released`
    weights_digest: str  # SHA-256 of the visual tower's weights, or `released` where they are unknown
    preprocessing_digest: str  # SHA-256 of geometry, mean and deviation, or `released`
    precision: str
    dimension: int

    @property
    def fingerprint(self) -> str:
        """Digest of what decides the values; the names that people give to weights are no part of it."""
        return json_digest(self.model_dump(exclude={"slug", "pretrained"}))


def encoder_slug(settings: EncoderSettings) -> str:
    """Return the folder name of an encoder's features, such as `vit-l-14-quickgelu-openai`.

    A local checkpoint is named by its stem, random weights by their seed.
    """
    return _safe_name(f"{settings.model}-{pretrained_name(settings)}")


def pretrained_name(settings: EncoderSettings) -> str:
    """Return the short name of the weights: a tag, a checkpoint's stem, or `seed<n>`."""
    if settings.pretrained is None:
        return f"seed{settings.seed}"
    return PurePath(settings.pretrained).stem if is_checkpoint_path(settings.pretrained) else settings.pretrained


def is_checkpoint_path(pretrained: str) -> bool:
    """Tell whether `pretrained` is written as a path rather than as an open_clip tag."""
    return "/" in pretrained or "\\" in pretrained or PurePath(pretrained).suffix in CHECKPOINT_SUFFIXES


def released_identity(slug: str, dimension: int) -> EncoderIdentity:
    """Return the identity of features that others released: only the name of their encoder is known."""
    unknown = "released"
    return EncoderIdentity(
        slug=slug,
        model=slug,
        pretrained=unknown,
        weights_digest=unknown,
        preprocessing_digest=unknown,
        precision=unknown,
        dimension=dimension,
    )


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value with sorted keys, in hex."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _safe_name(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
