"""The faults of the released TinyEmo sets, and what the import does about each."""

from dataclasses import dataclass
from typing import Literal

Treatment = Literal["mended", "kept", "rejected"]


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    what: str
    treatment: Treatment


FAULTS: dict[str, Fault] = {
    "absolute_path": Fault("the picture's path is that of the author's machine", "mended"),
    "misspelt_folder": Fault("the picture's folder misspells its label", "mended"),
    "misspelt_text": Fault("a turn misspells a label", "mended"),
    "predicted_label_spelling": Fault("the predicted label is not spelt as its taxonomy has it", "mended"),
    "image_token_place": Fault("<image> is missing, or not at the beginning of the human turn", "mended"),
    "label_in_question": Fault("a question about the sentiment names the label, so that it can be copied", "kept"),
    "label_in_prompt": Fault("a reasoning prompt states the label, so that it can be copied", "kept"),
    "label_disagrees": Fault("the predicted label is another than the picture's", "kept"),
    "record_shape": Fault("no object with image and conversations of {from, value}", "rejected"),
    "odd_turns": Fault("an odd number of turns, or none", "rejected"),
    "wrong_roles": Fault("turns that are not human and gpt by turns", "rejected"),
    "empty_turn": Fault("a question or an answer without words", "rejected"),
    "wrong_image_count": Fault("more than one <image>, or one after the first turn", "rejected"),
    "breaking_text": Fault("a mark by which trainers find the answers in their own text", "rejected"),
    "unknown_path": Fault("a path that does not end in <split>/<emotion>/<file>", "rejected"),
    "unknown_label": Fault("a folder that is no emotion of WEBEmo", "rejected"),
    "missing_picture": Fault("no such file in the picture folder", "rejected"),
    "duplicate_record": Fault("the same conversation about the same picture as an earlier record", "rejected"),
}
