"""The fields of responsible AI in `croissant.json`: what was measured, in the vocabulary RAI 1.0 (mlcommons.org)."""

from typing import Any

from tinyemo_data.hub.facts import SetFacts
from tinyemo_data.hub.terms import terms_of


def responsible_ai(facts: SetFacts) -> dict[str, Any]:
    """Return the fields of the RAI vocabulary, of what was measured."""
    funnel, counts = facts.funnel, facts.counts
    held_back = {stage.name: stage.held_back for stage in funnel.stages() if stage.held_back}
    emotions = ", ".join(
        f"{one['emotion']} ({one['taxonomy']}): {one['records']}" for one in counts.by("emotion", "taxonomy")
    )
    models = [f"{one['model']} ({terms_of(one['generator']).title})" for one in counts.by("generator", "model")]
    return {
        "rai:dataCollection": f"Pictures of {', '.join(facts.datasets)} were asked about; the answers are the records.",
        "rai:dataCollectionType": ["Machine-generated", "Secondary data analysis"],
        "rai:dataCollectionMissingData": "Unreadable pictures, and questions without an answer, have no record.",
        "rai:dataCollectionRawData": "Not included: pictures are named by id and SHA-256.",
        "rai:dataPreprocessingProtocol": [f"{stage.name}: {stage.explained}" for stage in funnel.stages()],
        "rai:dataManipulationProtocol": f"Of {funnel.drafts} questions, gates held back: {held_back or 'none'}.",
        "rai:dataAnnotationProtocol": [f"{one.id} (SHA-256 {one.digest})" for one in facts.prompts],
        "rai:dataAnnotationPlatform": "none",
        "rai:dataAnnotationAnalysis": [finding.sentence for finding in facts.findings],
        "rai:annotationsPerItem": "1",
        "rai:annotatorDemographics": "none: machine-generated",
        "rai:machineAnnotationTools": models,
        "rai:dataBiases": _biases(facts),
        "rai:dataLimitations": [
            f"Records an emotion (vocabulary): {emotions}.",
            "Labels say what a picture evokes in viewers, not what a person in it feels.",
            "Whether an explanation is true of its picture was not checked by people.",
        ],
        "rai:dataUseCases": "Research on how pictures evoke emotions; training and studying vision-language models.",
        "rai:dataSocialImpact": "Must not be used to infer what a person feels, or to judge, rank or target people.",
        "rai:personalSensitiveInformation": "Pictures may show people; they are not included. Texts are searched for "
        "e-mail addresses, keys and paths before publishing.",
        "rai:dataReleaseMaintenancePlan": "Corrections and take-downs are asked for in the repository's Community tab; "
        "each makes a new revision.",
    }  # fmt: skip


def _biases(facts: SetFacts) -> list[str]:
    if facts.biases.why_not is not None:
        return [facts.biases.why_not]
    accepted = [f"accepted: {one.attribute} is taken for {one.emotion}" for one in facts.biases.accepted]
    undecided = [f"undecided: {one.attribute} may be taken for {one.emotion}" for one in facts.biases.undecided]
    return accepted + undecided or ["The audit found none."]
