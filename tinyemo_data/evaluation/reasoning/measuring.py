"""From answers to the report: nothing is asked here."""

from collections.abc import Iterator, Sequence

from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.conditions import CONTRASTS, WITHHELD
from tinyemo_data.evaluation.reasoning.consistency import chance_of
from tinyemo_data.evaluation.reasoning.contrasts import compare
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.inputs import Inputs
from tinyemo_data.evaluation.reasoning.models import Said
from tinyemo_data.evaluation.reasoning.report import Context, ReasoningReport
from tinyemo_data.evaluation.reasoning.resampling import rounded
from tinyemo_data.evaluation.reasoning.row import Meter
from tinyemo_data.evaluation.reasoning.rule_texts import REFERENCES, references_of
from tinyemo_data.settings import Settings

EXAMPLES = 3


def measure(settings: Settings, inputs: Inputs, said: Said) -> ReasoningReport:
    """Return the report of what was said about the drawn pictures, of which there is at least one."""
    evaluation, pictures = settings.evaluation, inputs.drawn.pictures
    references = [references_of(one, evaluation.seed) for one in pictures]
    meter = Meter(pictures, references, inputs.vocabulary, inputs.listing, evaluation.bootstrap, evaluation.seed)
    measured = {condition: meter.measure(condition, theirs) for condition, theirs in said.answers.items()}
    scored = {condition: scores for condition, (_, scores) in measured.items()}
    return ReasoningReport(
        context=_context(settings, inputs, said, sum(map(bool, references))),
        rows=[row for row, _ in measured.values()],
        contrasts=compare(scored, CONTRASTS, evaluation.bootstrap, evaluation.seed),
        statements=dict(said.verdicts),
        notes=[*inputs.notes, *_notes(settings, inputs)],
        examples=_examples(pictures, said.answers.get(WITHHELD, [])),
    )


def _context(settings: Settings, inputs: Inputs, said: Said, referenced: int) -> Context:
    drawn, pictures = inputs.drawn, inputs.drawn.pictures
    return Context(
        profile=settings.name,
        pictures=settings.pictures,
        parts=dict(said.manifests.get("finetuned", {}).get("parts", {})),
        models={model: str(manifest.get("identity", "")) for model, manifest in said.manifests.items()},
        projector=inputs.projector.digest,
        learnt_from=inputs.learnt_from,
        n=len(pictures),
        seed=settings.evaluation.seed,
        resamples=settings.evaluation.bootstrap,
        pool=drawn.pool,
        twins_left_out=drawn.twins,
        chance=chance_of(pictures, drawn.commonest),
        projector_top1=rounded(sum(one.emotion == one.predicted for one in pictures) / len(pictures)),
        references=f"Up to {REFERENCES} texts a picture, of {referenced} pictures, by this program's rules: sentences "
        "of what annotators and measures say of it, for the dataset's label. They are no human writing.",
    )


def _notes(settings: Settings, inputs: Inputs) -> Iterator[str]:
    if "statements" not in settings.mm_llm.finetune.sets:
        yield "No stage learnt from the set statements: how statements are answered was not taught."
    if inputs.drawn.unpredicted:
        yield f"{inputs.drawn.unpredicted} pictures have no feature, and so no label of the projector: left out."


def _examples(pictures: Sequence[HeldOut], answers: Sequence[Answered]) -> list[dict[str, str]]:
    return [
        {
            "sample_id": picture.sample_id, "emotion": picture.emotion, "predicted": picture.predicted,
            "stated": answer.label or "", "text": answer.text,
        }
        for picture, answer in zip(pictures[:EXAMPLES], answers, strict=False)
    ]  # fmt: skip
