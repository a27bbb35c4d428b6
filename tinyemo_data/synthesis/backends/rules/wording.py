"""Sentence patterns read from the YAML files of `wording/`, in pools from which the fitting ones are drawn."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis.backends.rules.grammar import Pattern, parse_pattern

FOLDER = Path(__file__).with_name("wording")


class Pool:
    """Patterns of one use."""

    def __init__(self, patterns: Sequence[Pattern], where: str) -> None:
        """Hold patterns; `where` is named where none of them fits."""
        self.patterns, self.where = tuple(patterns), where
        self._fitting: dict[frozenset[str], tuple[Pattern, ...]] = {}

    def fitting(self, slots: frozenset[str]) -> tuple[Pattern, ...]:
        """Return the patterns that need no other slots than these, in their order."""
        found = self._fitting.get(slots)
        if found is None:
            found = self._fitting[slots] = tuple(pattern for pattern in self.patterns if pattern.slots <= slots)
        return found


@functools.cache
def pool(file: str, name: str) -> Pool:
    """Return the pool `name` of `wording/<file>.yaml`. Raises PromptError naming what is wrong in which file."""
    where = FOLDER / f"{file}.yaml"
    sources = _read(file).get(name)
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources) or not sources:
        raise PromptError(f"{where}: expected a list of sentence patterns under '{name}'; found {sources!r}.")
    return Pool([parse_pattern(source, _read("shared"), str(where)) for source in sources], f"{where}, {name}")


def pools() -> list[Pool]:
    """Return every pool of every file."""
    files = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return [pool(file, name) for file in files if file != "shared" for name in _read(file)]


@functools.cache
def _read(file: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load((FOLDER / f"{file}.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise PromptError(f"{FOLDER / file}.yaml can't be read: {exc}. Restore it from the package.") from exc
    if not isinstance(content, dict):
        raise PromptError(f"{FOLDER / file}.yaml: expected pools by name; found {type(content).__name__}.")
    return content
