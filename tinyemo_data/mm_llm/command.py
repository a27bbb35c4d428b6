"""Labels and explanations of picture files from a terminal: projector, label, explanation."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tinyemo_data import taxonomy
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.classification import Classified, Classifier, Refused
from tinyemo_data.mm_llm.question import Question, ask
from tinyemo_data.settings import MMLLMSettings, Settings
from tinyemo_data.store import Store

if TYPE_CHECKING:
    from tinyemo_data.mm_llm.reasoning import Answer

VOCABULARY = "mikels8"  # the labels of EmoSet and of the reasoning sets
SHOWN = 3  # labels a picture
DRAWN = "These models learnt from drawn pictures: what they say of a photograph means nothing."


def classify_here(settings: Settings, pictures: Sequence[Path], console: Console, vocabulary: str = VOCABULARY) -> bool:
    """Print the three most probable labels of each picture; tell whether all of them could be read.

    Raises StoreError or CheckpointError where there is no projector that fits the profile.
    """
    _say_where_drawn(settings, console)
    found = Classifier(_open(settings), settings, vocabulary).classify(pictures)
    for each in found:
        _print(console, _label_line(each))
    return not any(isinstance(each, Refused) for each in found)


def reason_here(
    settings: Settings,
    pictures: Sequence[Path],
    label: str | None,
    withhold: bool,
    console: Console,
    vocabulary: str = VOCABULARY,
) -> bool:
    """Print why each picture evokes its emotion; tell whether all of them could be read.

    The label is `label`, else the projector's; with `withhold` the model is told none and must look. Raises MMLLMError
    for a label that the vocabulary does not have, and StoreError where there is no finetuned model.
    """
    from tinyemo_data.mm_llm.reasoning import Reasoner
    from tinyemo_data.mm_llm.saving import load_model, local_model

    options = _options(label, withhold, vocabulary)
    store = _open(settings)
    with local_model(store, "finetune") as folder:  # before anything slow: there may be none
        reasoner = Reasoner(load_model(folder), settings.mm_llm)
    classifier = None if label or withhold else Classifier(store, settings, vocabulary)
    _say_where_drawn(settings, console)
    refused = 0
    for part in _parts(pictures, settings.mm_llm):
        found = classifier.classify(part) if classifier else [_read(path) for path in part]
        refused += sum(isinstance(each, Refused) for each in found)
        asked = [_question(each, options, label) for each in found if not isinstance(each, Refused)]
        answers = iter(reasoner.answer(asked))
        for each in found:
            line = f"{each}: {label or 'label withheld'}" if isinstance(each, Path) else _label_line(each)
            _print(console, line)
            if not isinstance(each, Refused):
                _print(console, _explanation(next(answers)))
    return not refused


def _explanation(answer: "Answer") -> str:
    return answer.text + (" […]" if answer.is_cut else "") + "\n"


def _options(label: str | None, withhold: bool, vocabulary: str) -> tuple[str, ...]:
    options = taxonomy.get(vocabulary).labels
    if label is not None and withhold:
        raise MMLLMError("A label can be given or withheld, not both. Leave one of them out.")
    if label is not None and label not in options:
        raise MMLLMError(f"The label '{label}' is none of {vocabulary}: {', '.join(options)}. Give one of these.")
    return options


def _parts(pictures: Sequence[Path], settings: MMLLMSettings) -> Iterator[Sequence[Path]]:
    size = settings.generation_batch_size
    return (pictures[start : start + size] for start in range(0, len(pictures), size))


def _read(path: Path) -> Path | Refused:
    """Return the path of a picture that can be decoded."""
    from tinyemo_data.mm_llm.pictures import read_picture

    try:
        read_picture(path)
    except MMLLMError as exc:
        return Refused(path, str(exc))
    return path


def _question(picture: Classified | Path, options: Sequence[str], label: str | None) -> Question:
    if isinstance(picture, Classified):
        return ask(picture.path, options, picture.label)
    return ask(picture, options, label)


def _label_line(found: Classified | Refused) -> str:
    if isinstance(found, Refused):
        return f"{found.path}: can't be read ({found.reason})"
    return f"{found.path}: " + ", ".join(f"{label} {share:.1%}" for label, share in found.ranked[:SHOWN])


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def _say_where_drawn(settings: Settings, console: Console) -> None:
    if settings.pictures == "drawn":
        _print(console, DRAWN)


def _open(settings: Settings) -> Store:
    store = Store(settings.store)
    store.claim(settings.pictures)
    return store
