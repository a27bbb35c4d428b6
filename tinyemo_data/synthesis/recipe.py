"""A recipe: what one instruct set is made of, with every setting resolved."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data.errors import PromptError, SettingsError, nearest
from tinyemo_data.settings import BackendName, SynthesisSettings
from tinyemo_data.synthesis import prompt as prompts
from tinyemo_data.synthesis.prompt import Prompt

RULES_MODEL = "rules-1"
# Tokens of thinking are paid as output and count towards max_tokens: without room a small limit would end in them.
THINKING_ROOM = 4_000
# How models are kept from thinking; others, such as Opus, can't be (Claude API documentation, "Extended thinking").
WITHOUT_THINKING = {"claude-haiku-5-5": {"type": "disabled"}, "claude-sonnet-5-5": {"type": "between_tools"}}
# Which of Anthropic's models answers a prompt of which class, where the settings name none.
ANTHROPIC_MODELS = {"bulk": "claude-haiku-5-5", "careful": "claude-opus-5-5"}


@dataclass(frozen=True)
class Recipe:
    """What one set is made of."""

    name: str
    prompts: tuple[Prompt, ...]  # sorted by id
    datasets: tuple[str, ...]
    backend: BackendName
    model: str | None  # None: by the prompt's class
    picture_side: int | None
    max_tokens: int | None  # None: as the prompt says
    seed: int
    withheld_share: float = 0.5
    draws: int = 1
    per_emotion: int | None = None
    limit: int | None = None

    def model_of(self, prompt: Prompt) -> str:
        """Return the model that answers a prompt."""
        if self.backend == "rules":
            return RULES_MODEL
        return self.model or ANTHROPIC_MODELS[prompt.defaults.model]

    def max_tokens_of(self, prompt: Prompt) -> int:
        """Return the longest answer to a prompt, with room for the thinking of a model that can't be kept from it."""
        longest = self.max_tokens or prompt.defaults.max_tokens
        model = self.model_of(prompt)
        return longest + (THINKING_ROOM if model.startswith("claude-") and model not in WITHOUT_THINKING else 0)


def set_names() -> list[str]:
    """Return the names of all sets: the folders of `prompts/`, sorted."""
    return sorted({prompt_id.split("/")[0] for prompt_id in prompts.prompt_ids()})


def enabled_sets(settings: SynthesisSettings) -> list[str]:
    """Return the names of the sets that the profile makes, in its order. Raises SettingsError for an unknown one."""
    known = set_names()
    for name in settings.sets:
        if name not in known:
            raise SettingsError(
                f"synthesis.sets: there is no set '{name}'.{nearest(name, known)} Known: {', '.join(known)}."
            )
    return [name for name, options in settings.sets.items() if options.enabled]


def recipe_of(settings: SynthesisSettings, name: str) -> Recipe:
    """Return the recipe of an enabled set. Raises SettingsError or PromptError naming what is unknown."""
    if name not in enabled_sets(settings):
        known = ", ".join(enabled_sets(settings)) or "none"
        raise SettingsError(f"The set '{name}' is not enabled under synthesis.sets. Enabled: {known}.")
    options = settings.sets[name]
    return Recipe(
        name=name,
        prompts=tuple(prompts.load_prompt(f"{name}/{task}") for task in _tasks(name, options.tasks)),
        datasets=tuple(settings.datasets if options.datasets is None else options.datasets),
        backend=options.backend or settings.backend,
        # A model of the group's backend is none of the set's own backend.
        model=options.model or (settings.model if options.backend in (None, settings.backend) else None),
        picture_side=settings.picture_side,
        max_tokens=options.max_tokens or settings.max_tokens,
        seed=settings.seed,
        withheld_share=options.withheld_share,
        draws=options.draws,
        per_emotion=options.per_emotion,
        limit=options.limit or settings.limit,
    )


def _tasks(name: str, wanted: list[str] | None) -> list[str]:
    known = [prompt_id.split("/")[1] for prompt_id in prompts.prompt_ids() if prompt_id.split("/")[0] == name]
    for task in wanted or ():
        if task not in known:
            raise PromptError(
                f"synthesis.sets.{name}.tasks: there is no prompt {name}/{task}.{nearest(task, known)} "
                f"Known: {', '.join(known)}."
            )
    return sorted(set(known if wanted is None else wanted))


@functools.cache
def rules_digest() -> str:
    """Return a digest of the rules and their words: with other rules the same question has another answer."""
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent / "backends" / "rules").rglob("*")):
        if path.suffix in (".py", ".yaml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def recipe_facts(recipe: Recipe) -> Mapping[str, object]:
    """Return what of a recipe decides its drafts, as JSON can hold it."""
    return {
        "name": recipe.name,
        "prompts": {prompt.id: prompt.digest for prompt in recipe.prompts},
        "models": {prompt.id: recipe.model_of(prompt) for prompt in recipe.prompts},
        "backend": rules_digest() if recipe.backend == "rules" else "model",
        "picture_side": recipe.picture_side,
        "max_tokens": {prompt.id: recipe.max_tokens_of(prompt) for prompt in recipe.prompts},
        "seed": recipe.seed,
        "withheld_share": recipe.withheld_share,
        "draws": recipe.draws,
    }
