"""Loading a part from a directory or hub id through `transformers`, strictly, with one kind of error."""

from pathlib import Path
from typing import Any

import torch

from tinyemo_data.errors import LanguageModelError, MMLLMError
from tinyemo_data.projector.language_model import ModelFiles, find_files, read_config

# What `transformers` and the hub raise for files that are absent, damaged or of another model.
FAILURES = (OSError, ValueError, KeyError, ImportError, RuntimeError, TypeError, AttributeError)


def find_part(location: str, setting: str) -> tuple[ModelFiles, dict[str, Any]]:
    """Return the files at `location` and their config.json. Raises MMLLMError naming `setting`."""
    try:
        files = find_files(location)
        return files, read_config(files)
    except LanguageModelError as exc:
        raise MMLLMError(f"{setting}: {exc}") from exc


def where(files: ModelFiles) -> dict[str, Any]:
    """Return what `from_pretrained` is told of a part's place; code that comes with a model is never run."""
    place = str(Path(files.location).expanduser()) if files.folder else files.location
    options: dict[str, Any] = {"pretrained_model_name_or_path": place, "trust_remote_code": False}
    return options | ({"revision": files.revision} if files.revision else {})


def load_strictly(kind: Any, files: ModelFiles, setting: str) -> Any:
    """Return the model of class `kind`, float32, in evaluation mode.

    Raises MMLLMError where it can't be loaded or a weight is absent: `transformers` would only warn and draw it by lot.
    """
    try:
        model, found = kind.from_pretrained(**where(files), dtype=torch.float32, output_loading_info=True)
    except FAILURES as exc:
        raise MMLLMError(f"{setting}: {files.location} can't be loaded as {kind.__name__}: {first_line(exc)}") from exc
    missing = sorted(found["missing_keys"])
    if missing:
        raise MMLLMError(
            f"{setting}: {files.location} lacks {len(missing)} weights of a {type(model).__name__}, such as "
            f"{missing[0]}. Download it again, or give another checkpoint."
        )
    return model.eval()


def first_line(exc: BaseException) -> str:
    """Return the first line of an exception's message; its class where it has none."""
    return str(exc).strip().partition("\n")[0] or type(exc).__name__
