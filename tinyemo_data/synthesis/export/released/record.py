"""One released record, mended, or the fault that it is rejected for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyemo_data.synthesis.export.released.picture import DATASET, TAXONOMY, PictureFolder, ReleasedPicture, locate
from tinyemo_data.synthesis.export.released.task import names_label, offered_options, states_label, tell_task
from tinyemo_data.synthesis.export.rules import Break, shape_breaks, turn_breaks
from tinyemo_data.synthesis.export.spelling import (
    canonical_label,
    mend_predicted_label,
    mend_spelling,
    misspellings,
    predicted_label,
)
from tinyemo_data.synthesis.export.trainer import IMAGE, breaking

OPENING = f"{IMAGE}\n"


@dataclass
class Outcome:
    """What became of a record."""

    row: dict[str, Any]  # columns of Record that its content tells, as far as it was read
    faults: list[str] = field(default_factory=list)  # mended or kept
    rejected: Break | None = None  # fault, what was found


def read_record(record: Any, pictures: PictureFolder) -> Outcome:
    """Return a record's mended columns, or why it can't be one."""
    outcome = Outcome({})
    outcome.rejected = _read_turns(record, outcome) or _read_picture(record, outcome, pictures)
    if outcome.rejected is None:
        _read_task(outcome)
    return outcome


def encodable(text: str) -> str:
    """Return a text with halves of surrogate pairs, which UTF-8 does not have, written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _read_turns(record: Any, outcome: Outcome) -> Break | None:
    """Check and mend the conversation."""
    for _, found in shape_breaks(record):
        return "record_shape", found
    turns = [{"from": str(turn["from"]), "value": turn["value"]} for turn in record["conversations"]]
    # As they are, but for what no table can hold.
    outcome.row["conversations"] = [{key: encodable(text) for key, text in turn.items()} for turn in turns]
    if len(turns) % 2:
        return "odd_turns", f"{len(turns)} turns"
    for rule, found in turn_breaks(turns, stage=2):
        return ("wrong_roles" if rule == "turn_order" else rule), found
    tokens = [turn["value"].count(IMAGE) for turn in turns]
    if tokens[0] > 1 or any(tokens[1:]):
        return "wrong_image_count", f"{sum(tokens)} of {IMAGE}, {tokens[0]} in the first turn"
    for turn in turns:
        if (mark := breaking(turn["value"])) is not None:
            return "breaking_text", repr(mark)
    outcome.row["conversations"] = [_mend_turn(turn, place, outcome) for place, turn in enumerate(turns)]
    return None


def _mend_turn(turn: Mapping[str, str], place: int, outcome: Outcome) -> dict[str, str]:
    value = mend_spelling(turn["value"])
    outcome.faults += ["misspelt_text"] * (value != turn["value"])
    if place == 0 and not value.startswith(OPENING):
        outcome.faults.append("image_token_place")
        value = OPENING + value.replace(IMAGE, "").strip()
    if place % 2 and (labelled := mend_predicted_label(value)) != value:
        outcome.faults.append("predicted_label_spelling")
        value = labelled
    return {"from": turn["from"], "value": value}


def _read_picture(record: Mapping[str, Any], outcome: Outcome, pictures: PictureFolder) -> Break | None:
    picture = locate(record.get("image"))
    if not isinstance(picture, ReleasedPicture):
        return picture, repr(record.get("image"))
    found = pictures.find(picture)
    outcome.row |= {"dataset": DATASET, "emotion": picture.emotion, "taxonomy": TAXONOMY}
    outcome.row |= _paths(found[0] if found else picture.at(picture.folders[0]))
    if found is None:
        return "missing_picture", " nor ".join(map(picture.at, picture.folders))
    outcome.row["picture_sha256"] = found[1] or ""
    outcome.faults += ["absolute_path"] * picture.is_absolute
    outcome.faults += ["misspelt_folder"] * (picture.folder.lower() in misspellings())
    return None


def _paths(image: str) -> dict[str, str]:
    return {"image": image, "sample_id": image.rpartition(".")[0]}


def _read_task(outcome: Outcome) -> None:
    """Tell the task, its options and whether its label is given away."""
    row, emotion = outcome.row, outcome.row["emotion"]
    opening, answer = (turn["value"] for turn in row["conversations"][:2])
    question = opening.removeprefix(OPENING)
    row["task"] = task = tell_task(question, answer, emotion)
    row["options"] = offered_options(question) if task == "reasoning" else []
    row["variant"] = ""
    if task == "reasoning":
        given = states_label(question, emotion, row["options"])
        row["variant"] = "given" if given else "withheld"
        outcome.faults += ["label_in_prompt"] * given
        stated = predicted_label(answer)
        disagrees = stated is not None and canonical_label(stated) != emotion
        outcome.faults += ["label_disagrees"] * disagrees
    elif task == "sqa":
        outcome.faults += ["label_in_question"] * names_label(question, emotion)
