"""Questions without a picture, true by `taxonomies.yaml`: stage 2 needs at least one record that has none.

TinyLLaVA Factory's finetune.sh groups samples by modality (`--group_by_modality_length True`) and stops where there
is only one modality.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tinyemo_data import taxonomy
from tinyemo_data.synthesis.export.trainer import GPT, HUMAN

POLARITIES = ("positive", "negative")


def text_only_records(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield LLaVA records without picture about the taxonomies `names`, or about all of emotions where there are none.

    Three of each taxonomy: its labels, the positive ones, the negative ones. Sorted by name, so always the same.
    """
    emotions = [name for name in taxonomy.names() if name != "sentiment"]
    for name in sorted(set(names) & set(emotions)) or emotions:
        for question, answer, part in _questions(name):
            turns = [{"from": HUMAN, "value": question}, {"from": GPT, "value": answer}]
            yield {"id": f"taxonomies/{name}/{part}", "conversations": turns}


def _questions(name: str) -> Iterator[tuple[str, str, str]]:
    chosen = taxonomy.get(name)
    yield f'Which emotions belong to the vocabulary "{chosen.title}"?', _sentence(chosen.labels), "labels"
    polarity = taxonomy.get_map(f"{name}_to_sentiment").pairs
    for side in POLARITIES:
        wanted = [label for label in chosen.labels if polarity.get(label) == side]
        yield f"Which of these emotions are {side}: {', '.join(chosen.labels)}?", _sentence(wanted), side


def _sentence(labels: Iterable[str]) -> str:
    *first, last = labels
    text = f"{', '.join(first)} and {last}" if first else last
    return f"{text[0].upper()}{text[1:]}."
