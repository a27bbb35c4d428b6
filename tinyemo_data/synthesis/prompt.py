"""Prompt templates: YAML front matter and a Jinja body, edited by people who do not read Python.

They lie in `prompts/<set>/<task>.md` of a checkout, and inside the package in an installed wheel.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.sandbox import SandboxedEnvironment

from tinyemo_data.errors import PromptError, nearest

PACKAGE = Path(__file__).parents[1]
FENCE = "---\n"
# Undefined names are errors; templates can't reach Python; a block tag on its own line leaves no line behind.
ENVIRONMENT = SandboxedEnvironment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True)
class Prompt:
    """One template with its front matter."""

    id: str  # <set>/<task>
    purpose: str
    variables: Mapping[str, str]  # name -> what it holds
    output: Mapping[str, str]  # field of the reply -> what it must be
    body: str
    digest: str  # SHA-256 of the file, in hex: another text is another prompt

    def render(self, **values: Any) -> str:
        """Fill the template. Raises PromptError where `values` are not exactly the declared variables."""
        unknown, missing = set(values) - set(self.variables), set(self.variables) - set(values)
        if unknown or missing:
            wrong = f"unknown {sorted(unknown)}" if unknown else f"missing {sorted(missing)}"
            raise PromptError(f"Prompt {self.id} takes exactly {sorted(self.variables)}: {wrong}.")
        try:
            return ENVIRONMENT.from_string(self.body).render(values).strip() + "\n"
        except jinja2.TemplateError as exc:
            raise PromptError(f"Prompt {self.id} can't be rendered: {exc}. Mend its template.") from exc


def folder() -> Path:
    """Return the folder of all prompts: the wheel's own, or the checkout's."""
    packaged = PACKAGE / "prompts"
    return packaged if packaged.is_dir() else PACKAGE.parent / "prompts"


def prompt_ids() -> list[str]:
    """Return the ids of all prompts, sorted."""
    root = folder()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.glob("*/*.md"))


def load_prompt(prompt_id: str) -> Prompt:
    """Read one prompt. Raises PromptError where it is absent, or its front matter or template is malformed."""
    if prompt_id not in prompt_ids():
        raise PromptError(f"There is no prompt '{prompt_id}'.{nearest(prompt_id, prompt_ids())} Known: {prompt_ids()}.")
    path = folder() / f"{prompt_id}.md"
    return parse_prompt(path.read_text(encoding="utf-8"), prompt_id, str(path))


def parse_prompt(text: str, prompt_id: str, where: str) -> Prompt:
    """Split front matter from body and check both. Raises PromptError naming `where` and the mend."""
    if not text.startswith(FENCE) or FENCE not in text[len(FENCE) :]:
        raise PromptError(f"{where}: expected YAML front matter between two lines of '---' at the top.")
    front, body = text[len(FENCE) :].split(FENCE, 1)
    try:
        matter = yaml.safe_load(front)
        ENVIRONMENT.parse(body)
    except (yaml.YAMLError, jinja2.TemplateError) as exc:
        raise PromptError(f"{where}: {exc}") from exc
    _check_front_matter(matter, prompt_id, where)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Prompt(prompt_id, matter["purpose"], matter["variables"], matter["output"], body, digest)


def _check_front_matter(matter: Any, prompt_id: str, where: str) -> None:
    expected = {"id": str, "purpose": str, "variables": dict, "output": dict}
    if not isinstance(matter, dict) or set(matter) != set(expected):
        found = sorted(matter, key=str) if isinstance(matter, dict) else type(matter).__name__
        raise PromptError(f"{where}: the front matter must have exactly {sorted(expected)}; found {found}.")
    for key, kind in expected.items():
        if not isinstance(matter[key], kind):
            raise PromptError(f"{where}: '{key}' must be a {kind.__name__}; found {matter[key]!r}.")
    if matter["id"] != prompt_id:
        raise PromptError(f"{where}: its id is '{matter['id']}', its place says '{prompt_id}': make them equal.")
