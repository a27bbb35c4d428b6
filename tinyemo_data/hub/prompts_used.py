"""The prompts that made a set, as far as their text is still the one that was asked with."""

from collections.abc import Iterable
from dataclasses import dataclass

from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis import prompt as prompts


@dataclass(frozen=True)
class PromptUsed:
    """One prompt, by the digest that records name it with."""

    id: str  # <set>/<task>
    digest: str
    purpose: str  # empty where the text is not at hand
    text: str | None  # None: it was edited since, or never was ours

    @property
    def path(self) -> str:
        """Where its text is staged, below the repository."""
        return f"prompts/{self.id}.md"


def prompts_used(asked: Iterable[tuple[str, str]]) -> list[PromptUsed]:
    """Return the prompts of (id, digest) pairs, sorted, each with its text where that has the digest."""
    return [_prompt(prompt_id, digest) for prompt_id, digest in sorted(set(asked))]


def _prompt(prompt_id: str, digest: str) -> PromptUsed:
    try:
        prompt = prompts.load_prompt(prompt_id)
    except PromptError:
        return PromptUsed(prompt_id, digest, "", None)
    if prompt.digest != digest:
        return PromptUsed(prompt_id, digest, "", None)
    return PromptUsed(
        prompt_id, digest, prompt.purpose, (prompts.folder() / f"{prompt_id}.md").read_text(encoding="utf-8")
    )
