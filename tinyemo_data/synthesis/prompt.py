"""Prompt templates: YAML front matter and a body, edited by people who do not read Python.

They lie in `prompts/<set>/<task>.md` of a checkout, and inside the package in an installed wheel. A line
`=== user ===` divides the body. What stands above it is the same, byte for byte, in every question, so that services
can cache it; below it is a Jinja template of what is asked of one picture.
"""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
import yaml
from jinja2 import meta, nodes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyemo_data.errors import PromptError, nearest
from tinyemo_data.synthesis.output_schema import complete_schema, find_fault
from tinyemo_data.synthesis.template import ENVIRONMENT

PACKAGE = Path(__file__).parents[1]
FENCE = re.compile(r"^---[ \t]*\n", re.MULTILINE)
MARKER = re.compile(r"^=== user ===[ \t]*\n", re.MULTILINE)

ModelClass = Literal["bulk", "careful"]


class Defaults(BaseModel):
    """What a prompt asks of the model that answers it, where the settings say nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int = Field(ge=16, description="longest answer")
    model: ModelClass = Field(description="bulk: a small, cheap model does; careful: a large one")


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    purpose: str = Field(min_length=1)
    variables: dict[str, str]
    output: dict[str, dict[str, Any]] = Field(min_length=1)
    defaults: Defaults
    choices: dict[str, list[str]] = {}


@dataclass(frozen=True, eq=False)
class Prompt:
    """One template with its front matter."""

    id: str  # <set>/<task>
    purpose: str
    variables: Mapping[str, str]  # name -> what it holds
    output: Mapping[str, Mapping[str, Any]]  # field of the reply -> its JSON schema, as written
    defaults: Defaults
    choices: Mapping[str, Sequence[str]]  # wordings of which one is drawn for each question
    system: str  # of no picture
    user: str  # the template of what is asked of one picture
    digest: str  # SHA-256 of the file, in hex: another text is another prompt

    @functools.cached_property
    def _template(self) -> jinja2.Template:
        return ENVIRONMENT.from_string(self.user)

    def render(self, **values: Any) -> str:
        """Fill the part of one picture. Raises PromptError where `values` are not exactly the declared variables."""
        if values.keys() != self.variables.keys():
            unknown, missing = sorted(values.keys() - self.variables.keys()), sorted(self.variables.keys() - values)
            wrong = f"unknown {unknown}" if unknown else f"missing {missing}"
            raise PromptError(f"Prompt {self.id} takes exactly {sorted(self.variables)}: {wrong}.")
        try:
            return self._template.render(values).strip() + "\n"
        except jinja2.TemplateError as exc:
            raise PromptError(f"Prompt {self.id} can't be rendered: {exc}. Mend its template.") from exc

    def schema(self, labels: Sequence[str] = ()) -> dict[str, Any]:
        """Return the JSON schema of its replies; `enum: labels` stands for `labels`, those of a taxonomy."""
        return complete_schema(self.output, labels)


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
    front, body = _split_at_fences(text, where)
    matter = _read_front_matter(front, prompt_id, where)
    system, user = _split_at_marker(body, where)
    _check_variables(user, matter.variables, where)
    fault = find_fault(matter.output)
    if fault:
        raise PromptError(f"{where}: output: {fault}.")
    empty = sorted(name for name, wordings in matter.choices.items() if not all(wordings) or not wordings)
    if empty:
        raise PromptError(f"{where}: choices.{empty[0]}: expected a list of wordings, none of them empty.")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Prompt(
        id=prompt_id,
        purpose=matter.purpose,
        variables=matter.variables,
        output=matter.output,
        defaults=matter.defaults,
        choices=matter.choices,
        system=system,
        user=user,
        digest=digest,
    )


def _split_at_fences(text: str, where: str) -> tuple[str, str]:
    parts = FENCE.split(text, maxsplit=2)
    if len(parts) < 3 or parts[0]:
        raise PromptError(f"{where}: expected YAML front matter between two lines of '---' at the top.")
    return parts[1], parts[2]


def _read_front_matter(front: str, prompt_id: str, where: str) -> _FrontMatter:
    try:
        matter = _FrontMatter.model_validate(yaml.safe_load(front))
    except yaml.YAMLError as exc:
        raise PromptError(f"{where}: the front matter is no YAML: {exc}") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        entry = ".".join(str(part) for part in first["loc"]) or "the front matter"
        known = ", ".join(_FrontMatter.model_fields)
        raise PromptError(f"{where}: {entry}: {first['msg']}; found {first['input']!r}. It has: {known}.") from exc
    if matter.id != prompt_id:
        raise PromptError(f"{where}: its id is '{matter.id}', its place says '{prompt_id}': make them equal.")
    return matter


def _split_at_marker(body: str, where: str) -> tuple[str, str]:
    parts = MARKER.split(body)
    if len(parts) != 2 or not parts[0].strip() or not parts[1].strip():
        raise PromptError(
            f"{where}: expected a text for every picture, one line '=== user ===', and a text for one picture."
        )
    if any(sign in parts[0] for sign in ("{{", "{%", "{#")):
        raise PromptError(
            f"{where}: the text above '=== user ===' is the same for every picture: it can hold no variable. Move "
            "what is in braces below that line."
        )
    return parts[0].strip() + "\n", parts[1]


def _check_variables(user: str, declared: Mapping[str, str], where: str) -> None:
    """Raise PromptError unless the template is well-formed and uses exactly the declared names."""
    try:
        tree: nodes.Template = ENVIRONMENT.parse(user)
        used = meta.find_undeclared_variables(tree)
    except (jinja2.TemplateError, RecursionError) as exc:
        raise PromptError(f"{where}: the template is malformed: {exc}") from exc
    for name in sorted(used - declared.keys()):
        raise PromptError(f"{where}: the template uses '{name}', which is not declared.{nearest(name, declared)}")
    for name in sorted(declared.keys() - used):
        raise PromptError(f"{where}: the variable '{name}' is declared and never used: remove it, or use it.")
