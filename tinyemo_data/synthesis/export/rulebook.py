"""What a file of conversations must keep to, by name: what is expected, what happens otherwise, and the mend."""

from dataclasses import dataclass

from tinyemo_data.synthesis.export.trainer import IMAGE_TOKENS, MODEL_MAX_LENGTH


@dataclass(frozen=True)
class Rule:
    """One thing that a file of conversations must keep to."""

    expected: str
    otherwise: str  # what the trainer does where it is not so
    mend: str


_EXPORT_AGAIN = "Export the set again, or take the record out."
RULES: dict[str, Rule] = {
    "json_list": Rule(
        "one JSON list of records, in UTF-8", "json.load fails before the first step", "Write it as a JSON list."
    ),
    "no_records": Rule("at least one record", "there is nothing to train on", "Look for the set's rejects."),
    "record_shape": Rule(
        "an object whose `conversations` is a list of {from, value}",
        "a KeyError in the middle of an epoch",
        _EXPORT_AGAIN,
    ),
    "value_text": Rule("text in every turn's `value`", "an uncaught RuntimeError", "Make it a string."),
    "turn_order": Rule(
        "human and gpt by turns, an even number of them",
        "turns are paired by position alone: an odd count stops training, a wrong order trains on questions",
        "Put the turns in order.",
    ),
    "empty_turn": Rule("words in every turn", "nothing is learnt from it", _EXPORT_AGAIN),
    "image_token_missing": Rule(
        "<image> in the first human turn of a record with a picture",
        "the picture is ignored in silence",
        "Begin the first human turn with '<image>\\n'.",
    ),
    "image_token_repeated": Rule(
        "one <image> a record", "pictures shift to other samples of the batch", "Leave one, in the first human turn."
    ),
    "image_token_misplaced": Rule(
        "<image> in no other turn than the first human one",
        "pictures shift to other samples of the batch",
        "Move it to the first human turn.",
    ),
    "image_token_without_picture": Rule(
        "no <image> in a record without `image`",
        "an empty picture is looked at",
        "Take the token out, or name the picture.",
    ),
    "image_path": Rule(
        "`image` as one path relative to the image folder, without '..' or a backslash",
        "the file loads on no other machine, or leads out of the folder",
        "Write <dataset>/<path>.",
    ),
    "image_missing": Rule(
        "a file at `image` below the image folder",
        "an uncaught exception in the middle of an epoch",
        "Give the right image folder, or take the record out.",
    ),
    "stage1_turns": Rule(
        "one question and one answer in stage 1",
        "the template `pretrain` joins the answers and shows the picture once an answer",
        "Keep it for stage 2.",
    ),
    "stage1_without_picture": Rule(
        "a picture in every record of stage 1", "the connector learns from a black picture", "Keep it for stage 2."
    ),
    "stage1_question_lost": Rule(
        "captions alone in stage 1, one a picture",
        "the template `pretrain` throws the question away, so that the answers of one picture contradict each other",
        "Train on questions with a template that keeps them.",
    ),
    "stage2_without_text_only": Rule(
        "a record without picture in stage 2",
        "--group_by_modality_length True stops in the first epoch",
        "Add a text-only record; `export_llava` does.",
    ),
    "stage2_without_picture": Rule(
        "a record with a picture in stage 2",
        "--group_by_modality_length True stops in the first epoch",
        "Is this the right file?",
    ),
    "breaking_text": Rule(
        "no mark by which the trainer finds the answers in its own text",
        "the whole sample is masked out, after five seconds of sleep",
        "Take the mark out of the text.",
    ),
    "too_long": Rule(
        f"at most {MODEL_MAX_LENGTH:,} tokens, of which a picture takes {IMAGE_TOKENS}",
        "the end is cut off in silence",
        "Shorten it, or raise --model_max_length.",
    ),
    "duplicate_id": Rule("one picture an id", "records can't be told apart by it", "Give each picture its own id."),
    "label_spelling": Rule(
        "labels spelt as their taxonomy has them",
        "records of other sets do not join, and exact matches fail",
        "Mend the spelling; `import_released` does.",
    ),
}
