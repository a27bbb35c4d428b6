"""Tasks, one a module: what is asked of a picture, and which conversations a reply becomes."""

from tinyemo_data.errors import PromptError, nearest
from tinyemo_data.synthesis.tasks import (
    caption,
    dialogue,
    preferences,
    question_answer,
    reasoning,
    statements,
    triggers,
)
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task

__all__ = ["TASKS", "Asked", "Assembled", "Setting", "Task", "get"]

TASKS = {
    "pretrain/caption": caption.TASK,
    "pretrain/vqa": question_answer.VQA,
    "pretrain/sqa": question_answer.SQA,
    "finetune/reasoning": reasoning.SOME_OPTIONS,
    "hq/reasoning": reasoning.ALL_OPTIONS,
    "dialogue/emotion": dialogue.TASK,
    "statements/pair": statements.TASK,
    "triggers/detail": triggers.TASK,
    "preferences/pair": preferences.TASK,
}


def get(prompt_id: str) -> Task:
    """Return the task of a prompt (`<set>/<task>`). Raises PromptError where no task is known for it."""
    if prompt_id not in TASKS:
        raise PromptError(
            f"The prompt '{prompt_id}' has no task: nothing says how its replies become records."
            f"{nearest(prompt_id, TASKS)} Known: {', '.join(TASKS)}. Add one in tinyemo_data/synthesis/tasks/."
        )
    return TASKS[prompt_id]
