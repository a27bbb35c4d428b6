"""VLMEvalKit benchmarks: one TSV each, put into `$LMUData`.

Fields as in VLMEvalKit's docs/en/Development.md: `index` (an integer), `image` (base64 of the file), `question`, one
column a capital letter for each option, `answer` (the letter), `category`, `l2-category` and `split`. A TSV with
columns A and B whose name the kit does not know is run as a custom multiple-choice benchmark.
"""

import base64
import csv
import io
import string
from collections.abc import Sequence

from tinyemo_data.errors import TableError
from tinyemo_data.evaluation.reasoning.exports.questions import KEEP, Exported
from tinyemo_data.store import Store

FOLDER = "exports/vlmevalkit"
LETTERS = string.ascii_uppercase


def export_vlmevalkit(store: Store, name: str, questions: Sequence[Exported]) -> list[str]:
    """Write one benchmark; return its keys. Raises TableError for more options than there are letters."""
    most = max(len(one.options) for one in questions)
    if most > len(LETTERS):
        raise TableError(f"{name}: a question has {most} options; VLMEvalKit has letters for {len(LETTERS)}.")
    header = [
        "index", "image", "question", *LETTERS[:most], "answer", "category", "l2-category", "split", "question_id",
    ]  # fmt: skip
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(header)
    writer.writerows(_line(index, one, most) for index, one in enumerate(questions))
    keys = [f"{FOLDER}/{name}.tsv", f"{FOLDER}/README.md"]
    store.write_bytes(keys[0], buffer.getvalue().encode())
    store.write_bytes(keys[1], README.encode())
    return keys


def _line(index: int, one: Exported, most: int) -> list[str]:
    options = [*one.options, *[""] * (most - len(one.options))]
    image = base64.b64encode(one.picture.path.read_bytes()).decode()
    answer = LETTERS[one.options.index(one.answer)]
    labels = [one.picture.emotion, one.picture.dataset, one.picture.split, one.question_id]
    return [str(index), image, one.text, *options, answer, *labels]


README = (
    f"# VLMEvalKit benchmarks\n\nHeld-out pictures and questions. {KEEP}\n\nLay a TSV into `$LMUData` and run it by "
    "its name:\n\n    python run.py --data tinyemo_emotion --model <model>\n"
)
