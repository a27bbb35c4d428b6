"""Judging from questions to the report: what was answered before is not paid again, and the budget is a wall."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data.errors import SettingsError
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.judge.agreement import Agreed, agree, read_human_scores
from tinyemo_data.evaluation.reasoning.judge.questions import Answers, Questions
from tinyemo_data.evaluation.reasoning.judge.verdicts import (
    Preferred,
    ScoredRow,
    read_scores,
    summarise_pairs,
    summarise_scores,
)
from tinyemo_data.evaluation.reasoning.resampling import rounded
from tinyemo_data.progress import Report
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.asking import Asked, ask_online
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender
from tinyemo_data.synthesis.materialize import ledger_path
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.recipe import Recipe

NAME = "judge"
AT_ONCE = 256  # requests of a chunk


@dataclass(frozen=True)
class Judgement:
    """What the judge said of the texts, and of which."""

    backend: str
    model: str
    prompts: dict[str, str]  # id -> digest
    pictures: int
    seed: int
    rows: dict[str, ScoredRow]
    pairs: list[Preferred]
    usd: float  # what these verdicts cost, whenever they were bought
    people: dict[str, Agreed] | None  # agreement with human scores; None where there are none
    stopped: str  # why not all was asked; empty: it was


def check_judge(settings: Settings) -> None:
    """Raise SettingsError, before anything is asked, where the judge has no budget, model or server."""
    judge, synthesis = settings.evaluation.reasoning, settings.synthesis
    if judge.judge == "anthropic" and synthesis.budget_usd is None:
        raise SettingsError(
            "evaluation.reasoning.judge asks anthropic, which costs money: say synthesis.budget_usd "
            "(TINYEMO_SYNTHESIS__BUDGET_USD; 0 sends nothing)."
        )
    if judge.judge == "openai_compatible" and not (synthesis.base_url and judge.judge_model):
        raise SettingsError(
            "evaluation.reasoning.judge asks openai_compatible: say synthesis.base_url, such as "
            "http://localhost:8000/v1, and evaluation.reasoning.judge_model."
        )
    if judge.human_scores is not None:
        read_human_scores(Path(judge.human_scores))


def judge_texts(
    store: Store,
    settings: Settings,
    pictures: Sequence[HeldOut],
    answers: Answers,
    report: Report | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> Judgement:
    """Ask the judge about the first pictures' texts, wait for its verdicts, and sum them up.

    At the budget's wall what was bought is summed up, and `stopped` says how to go on. Raises what the backend stops
    for; all replies are kept, and a rerun pays for none of them.
    """
    recipe, chosen = recipe_of_judge(settings), pictures[: settings.evaluation.reasoning.judge_pictures]
    questions = Questions(recipe)
    scored, paired = list(questions.scores(chosen, answers)), list(questions.pairs(chosen, answers))
    outgoing = list({one.outgoing.digest: one.outgoing for one in [*scored, *paired]}.values())
    path, so_far = ledger_path(settings, store), Asked()
    with Ledger(path) as ledger, sole_sender(path, say):
        ask_online(_in_chunks(outgoing), len(outgoing), ledger, settings.synthesis, recipe, so_far, report)
        replies = ledger.replies([one.digest for one in outgoing])
    scores = read_scores(scored, replies)
    evaluation, people = settings.evaluation, settings.evaluation.reasoning.human_scores
    return Judgement(
        backend=recipe.backend,
        model=recipe.model_of(questions.rubric),
        prompts={prompt.id: prompt.digest for prompt in (questions.rubric, questions.pair)},
        pictures=len(chosen),
        seed=recipe.seed,
        rows=summarise_scores(scores, evaluation.bootstrap, evaluation.seed),
        pairs=summarise_pairs(paired, replies),
        usd=rounded(sum(reply.usd for reply in replies.values())),
        people=None if people is None else agree(scores, read_human_scores(Path(people))),
        stopped=so_far.stopped,
    )


def recipe_of_judge(settings: Settings) -> Recipe:
    """Return how the judge is asked; its prompts make no set."""
    judge = settings.evaluation.reasoning
    if judge.judge is None:
        raise SettingsError("evaluation.reasoning.judge is null: nobody judges.")
    return Recipe(
        name=NAME,
        prompts=(),
        datasets=(),
        backend=judge.judge,
        model=judge.judge_model,
        picture_side=settings.synthesis.picture_side,
        max_tokens=None,
        seed=settings.evaluation.seed,
    )


def _in_chunks(outgoing: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    for start in range(0, len(outgoing), AT_ONCE):
        yield outgoing[start : start + AT_ONCE]
