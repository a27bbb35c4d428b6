"""The judge's prompts: `prompts/judge/reasoning/`. They make no instruct set, so that they lie a folder deeper."""

from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis.prompt import Prompt, folder, parse_prompt

RUBRIC, PAIR = "judge/reasoning/rubric", "judge/reasoning/pair"


def load_judge_prompt(prompt_id: str) -> Prompt:
    """Read one of the judge's prompts. Raises PromptError where it is absent or malformed."""
    path = folder() / f"{prompt_id}.md"
    if not path.is_file():
        raise PromptError(f"There is no prompt {path}. Restore it from the repository.")
    return parse_prompt(path.read_text(encoding="utf-8"), prompt_id, str(path))
