"""All gates, in their order. A record is rejected by the first that finds something."""

from tinyemo_data.synthesis.gates.gate import Gate
from tinyemo_data.synthesis.gates.grounding import find_contradictions
from tinyemo_data.synthesis.gates.labels import find_leaked_label, find_wrong_label
from tinyemo_data.synthesis.gates.length import find_wrong_length
from tinyemo_data.synthesis.gates.marks import find_private_strings, find_trainer_marks
from tinyemo_data.synthesis.gates.pairs import find_equal_pair, find_unnamed_detail
from tinyemo_data.synthesis.gates.repetition import find_repetition
from tinyemo_data.synthesis.gates.script import find_other_languages, find_unseen_characters
from tinyemo_data.synthesis.gates.turns import find_empty_turn, find_misplaced_image, find_wrong_roles
from tinyemo_data.synthesis.gates.wording import find_boilerplate, find_source_talk

NEAR_DUPLICATE = "near_duplicate"
REPLY_GATES = (
    Gate("failed_request", "requests that the service can't answer, however often it is asked"),
    Gate("refused", "replies in which the model or its service declines to answer"),
    Gate("cut_off", "replies that end at the limit of their length"),
    Gate("unreadable", "replies that hold no text in a form that any backend gives"),
    Gate("not_json", "replies whose text is no JSON"),
    Gate("schema", "replies without the fields that the prompt asks for, or with others"),
)
RECORD_GATES = (
    Gate("roles", "turns that do not alternate between human and gpt to an even end", find_wrong_roles),
    Gate("image_token", "an <image> that is missing, repeated or not in the first turn", find_misplaced_image),
    Gate("empty", "a turn without a word", find_empty_turn),
    Gate("trainer_marks", "text by which trainers find their way in a conversation", find_trainer_marks),
    Gate("private_strings", "e-mail and web addresses, and what looks like a key", find_private_strings),
    Gate("unseen_characters", "control, zero-width and direction characters", find_unseen_characters),
    Gate("language", "another language than English", find_other_languages),
    Gate("boilerplate", "refusals, apologies and talk of being a program", find_boilerplate),
    Gate("source_talk", "mentions of the notes, captions or labels that the model was given", find_source_talk),
    Gate("length", "answers and questions that are too short or too long", find_wrong_length),
    Gate("repetition", "text that goes round in circles", find_repetition),
    Gate("label_agreement", "a stated label that is not the picture's, or was not offered", find_wrong_label),
    Gate("label_leak", "a label where the record must not name one", find_leaked_label),
    Gate(
        "pair",
        "a chosen answer that is the rejected one, a true statement that is the false one",
        find_equal_pair,
        frozenset({"preferences/pair", "statements/pair"}),
    ),
    Gate("detail", "an answer that does not name its detail", find_unnamed_detail, frozenset({"triggers/detail"})),
    Gate("grounding", "a claim that contradicts what is known of the picture", find_contradictions),
)
SET_GATES = (Gate(NEAR_DUPLICATE, "text that repeats most of a text that was kept before"),)
GATES = (*REPLY_GATES, *RECORD_GATES, *SET_GATES)


def gates_passed(prompt: str, gate: str | None) -> list[str]:
    """Return the names of the gates that a record of `prompt` passed before `gate`; None: all that there are."""
    names = [one.name for one in GATES]
    reached = GATES if gate is None else GATES[: names.index(gate)]
    return [one.name for one in reached if one.applies_to(prompt)]
