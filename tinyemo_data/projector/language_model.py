"""Where a language model lies: a local folder in the Hugging Face layout, or a hub id.

A hub id is `org/name`, or `org/name@revision` to stay with one branch, tag or commit.
Of a hub id only the files that are asked for are downloaded, one by one, into the hub's own cache.
`HF_ENDPOINT`, `HF_HUB_OFFLINE`, `HF_HOME` and `HF_TOKEN` are honoured.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

HUB_ID = re.compile(r"(?P<repository>[A-Za-z0-9][\w.-]*(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")
MEND = "Set TINYEMO_LANGUAGE_MODEL to a folder with config.json and weights, or to a hub id such as org/name."


@dataclass(frozen=True)
class LanguageModel:
    """The language model that a profile chose."""

    name: str  # for people and cards: a folder's name, a hub id, or "made on the spot (...)"
    location: str  # a local folder or a hub id
    tokenizer: str | None  # folder or hub id of the tokenizer, where the model has none of its own


@dataclass(frozen=True)
class ModelFiles:
    """The files of one model or tokenizer, found one by one."""

    location: str
    folder: Path | None  # None: on the hub
    revision: str | None = None

    @property
    def name(self) -> str:
        """Return the folder's name or the hub id: no path of this machine."""
        return self.folder.resolve().name if self.folder else self.location

    def find(self, name: str) -> Path | None:
        """Return the local path of a file, downloaded where it lies on the hub; None where there is none.

        Raises LanguageModelError where the hub can't be asked.
        """
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise LanguageModelError(f"{self.location} names a file outside itself: '{name}'. Don't use it.")
        if self.folder is None:
            return _download(self.location, self.revision, name)
        path = self.folder / name
        return path if path.is_file() else None

    def need(self, name: str, why: str) -> Path:
        """Return the local path of a file. Raises LanguageModelError where there is none."""
        path = self.find(name)
        if path is None:
            raise LanguageModelError(f"{self.location} has no {name}, {why}.{self.hint()} {MEND}")
        return path

    def hint(self) -> str:
        """Return why a file may be absent, as " One sentence."; empty where nothing is known."""
        if self.folder is None:
            from huggingface_hub import is_offline_mode

            return " HF_HUB_OFFLINE is set: only the hub's cache was searched." if is_offline_mode() else ""
        if (self.folder / "adapter_config.json").is_file():
            return " It is a LoRA adapter: give its base model."
        if any(self.folder.glob("*.gguf")):
            return " It holds GGUF weights, which are not read here: give the original weights."
        return ""


def find_files(location: str | Path) -> ModelFiles:
    """Return the files at a folder or hub id. Raises LanguageModelError where it can be neither."""
    text = str(location)
    path = Path(text).expanduser()
    if path.is_dir():
        return ModelFiles(text, path)
    match = HUB_ID.fullmatch(text)
    if match is None or path.exists():
        found = "is a file" if path.exists() else "is not there"
        raise LanguageModelError(f"The language model's folder {text} {found}. {MEND}")
    return ModelFiles(match["repository"], None, match["revision"])


def read_config(files: ModelFiles) -> dict[str, Any]:
    """Return the model's config.json. Raises LanguageModelError where it is absent or no JSON object."""
    path = files.need("config.json", "which says what model it is")
    return read_json(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a model's file. Raises LanguageModelError where it is none."""
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as exc:
        raise LanguageModelError(f"{path} is no JSON ({exc}). Download it again.") from exc
    if not isinstance(value, dict):
        raise LanguageModelError(f"{path} holds a {type(value).__name__}, expected a JSON object.")
    return value


@contextlib.contextmanager
def chosen_language_model(settings: Settings, store: Store) -> Iterator[LanguageModel]:
    """Give the profile's language model; where it names none, the small one, made in the store if need be."""
    if settings.language_model is not None:
        name = find_files(settings.language_model).name
        yield LanguageModel(name, settings.language_model, settings.language_model_tokenizer)
        return
    from tinyemo_data.projector import tiny_language_model

    tiny_language_model.make(store)
    with tiny_language_model.local_folder(store) as folder:
        yield LanguageModel(tiny_language_model.NAME, str(folder), settings.language_model_tokenizer)


def _download(repository: str, revision: str | None, name: str) -> Path | None:
    """Return the cached file of a hub repository; None where the repository has no such file."""
    import httpx2
    from huggingface_hub import errors, hf_hub_download, is_offline_mode

    try:
        return Path(hf_hub_download(repository, name, revision=revision))
    except errors.LocalEntryNotFoundError as exc:
        if is_offline_mode():
            return None  # the hub can't be asked: what is not in the cache is absent
        raise LanguageModelError(_unreachable(repository, name)) from exc
    except errors.EntryNotFoundError:
        return None
    except (errors.GatedRepoError, errors.RevisionNotFoundError, errors.RepositoryNotFoundError) as exc:
        raise LanguageModelError(_refusal(repository, revision, exc)) from exc
    except (httpx2.HTTPError, OSError, ValueError) as exc:
        message = f"{name} of {repository} could not be downloaded ({type(exc).__name__}{_status(exc)})."
        raise LanguageModelError(f"{message} Run this step again, or give a local folder. {MEND}") from exc


def _unreachable(repository: str, name: str) -> str:
    return (
        f"There is no local folder '{repository}', and the hub can't be reached for its {name}. Check the "
        "network and HF_ENDPOINT; or, where the model is in the hub's cache, set HF_HUB_OFFLINE=1. " + MEND
    )


def _refusal(repository: str, revision: str | None, exc: Exception) -> str:
    """Say why the hub refused, by status alone: its own text may carry signed addresses."""
    from huggingface_hub import errors

    if isinstance(exc, errors.GatedRepoError):
        return (
            f"The hub model {repository} is gated{_status(exc)}: accept its licence on its page, "
            "then set HF_TOKEN to a token of that account."
        )
    if isinstance(exc, errors.RevisionNotFoundError):
        return f"The hub model {repository} has no revision '{revision}'{_status(exc)}. Mend what follows the @."
    return (
        f"There is no local folder '{repository}', and the hub shows no such model{_status(exc)}: "
        f"it does not exist, or it is private and HF_TOKEN is not set. {MEND}"
    )


def _status(exc: Exception) -> str:
    status = getattr(getattr(exc, "response", None), "status_code", None)
    return f", HTTP {status}" if status else ""
