"""Whole sets by the rules, through drafting, assembling and every gate: all is kept, and no two texts are alike."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl
import pytest

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.objects import THINGS
from tinyemo_data.sample_corpus.plan import seeded
from tinyemo_data.sample_corpus.style import load_styles
from tinyemo_data.settings import SynthesisSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.backends.rules import answer
from tinyemo_data.synthesis.drafting import iterate_drafts, plan_drafts
from tinyemo_data.synthesis.recipe import recipe_of, set_names
from tinyemo_data.synthesis.records import records_key, rejects_key
from tinyemo_data.synthesis.rendering import Rendered, render_set
from tinyemo_data.synthesis.subject import Facts, Subject

PICTURES = 240
ANNOTATED = 0.5  # of them have scene and objects, the others what is measured alone
MODAL_OPENING = 0.1  # share of texts, at most, that begin with the same three words
FEWEST_SHAPES = 250  # of the sentences of a task, once all names, figures and colours are taken out
# Different bigrams over all, of the texts on 240 pictures: a good tenth below what was measured.
DISTINCT_2 = {
    "pretrain/caption": 0.25, "pretrain/vqa": 0.29, "pretrain/sqa": 0.31, "finetune/reasoning": 0.33,
    "hq/reasoning": 0.26, "dialogue/emotion": 0.24, "statements/pair": 0.15, "triggers/detail": 0.3,
    "preferences/pair": 0.33,
}  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """A reply as the ledger would give it."""

    raw: bytes
    state: str = "answered"
    failure: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    backend: str = "rules"
    model: str = "rules-1"


def subjects() -> Iterator[Subject]:
    """Yield pictures as the demo draws them, by their facts alone: those of eight emotions, then those of 25."""
    for number in range(PICTURES):
        rng = seeded("rules", number)
        is_annotated = number < PICTURES * ANNOTATED
        name = "mikels8" if is_annotated else "parrott25"
        emotion = taxonomy.get(name).labels[number % len(taxonomy.get(name).labels)]
        sample_id = f"emoset/{number}"
        facts = Facts(**(measured(rng) | (annotated(rng) if is_annotated else {})))
        yield Subject(sample_id, "emoset", f"{number}.jpg", f"{number:064x}", emotion, name, "annotators", facts)


def measured(rng: Any) -> dict[str, Any]:
    colours = [f"#{int(value):06x}" for value in rng.integers(1 << 24, size=5)]
    shares = sorted(rng.dirichlet([1.5] * 6)[:5].tolist(), reverse=True)
    return {
        "brightness": float(rng.beta(4, 4)), "colourfulness": float(rng.gamma(4, 12)),
        "width": int(rng.integers(90, 160)), "height": int(rng.integers(90, 160)),
        "dominant_colours": tuple(zip(colours, shares, strict=True)),
    }  # fmt: skip


def annotated(rng: Any) -> dict[str, Any]:
    styles = load_styles()
    style = styles.emotions[list(styles.emotions)[int(rng.integers(len(styles.emotions)))]]
    objects = tuple(rng.choice(list(THINGS), size=int(rng.integers(1, 6)), replace=False).tolist())
    has_person = "person" in objects
    return {
        "scene": str(rng.choice(list(styles.scenes))), "objects": objects,
        "human_action": str(rng.choice(list(style.poses))) if has_person else None,
        "facial_expression": style.face if has_person and rng.random() < 0.5 else None,
    }  # fmt: skip


def make_set(store: Store, name: str) -> Rendered:
    recipe = recipe_of(SynthesisSettings.model_validate({"sets": {name: {}}}), name)
    plan_drafts(store, recipe, subjects())
    replies: dict[str, Answered] = {}
    for table in iterate_drafts(store, name):
        for digest, request in table.select("request_digest", "request").iter_rows():
            replies[digest] = Answered(answer(orjson.loads(request)))

    def look_up(digests: Sequence[str]) -> Mapping[str, Answered]:
        return {digest: replies[digest] for digest in digests}

    return render_set(store, name, look_up)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, Rendered]]:
    """Every set, made once."""
    store = Store(tmp_path_factory.mktemp("sets") / "store")
    return store, {name: make_set(store, name) for name in set_names()}


@pytest.mark.parametrize("name", set_names())
def test_gates_keep_what_the_rules_say(sets: tuple[Store, dict[str, Rendered]], name: str) -> None:
    store, _ = sets
    rejects, records = store.read_table(rejects_key(name)), store.read_table(records_key(name))
    others = rejects.filter(pl.col("gate") != "near_duplicate").select("task", "gate", "reason", "detail").rows()
    # By chance two cues are worded alike (1 record of 10,000) or two short answers are the same (26 of 10,000).
    assert len(others) <= 1, others
    assert len(rejects) <= 0.01 * len(records) and len(records) >= PICTURES * 0.99


@pytest.mark.parametrize("task", sorted(DISTINCT_2))
def test_texts_of_a_task_are_varied(sets: tuple[Store, dict[str, Rendered]], task: str) -> None:
    store, rendered = sets
    name = task.split("/")[0]
    found = rendered[name].diversity[task]
    assert found.modal_opening_share < MODAL_OPENING, found
    assert found.distinct_2 >= DISTINCT_2[task], found
    records = store.read_table(records_key(name)).filter(pl.col("task") == task)
    assert len(shapes(records)) >= FEWEST_SHAPES


def test_careful_reasons_have_about_six_sentences(sets: tuple[Store, dict[str, Rendered]]) -> None:
    store, _ = sets
    turns = store.read_table(records_key("hq"))["conversations"].to_list()
    counts = [len(re.findall(r"[.?!](?= |\n)", conversation[1]["value"])) for conversation in turns]
    assert min(counts) >= 5 and max(counts) <= 8 and 5.5 <= sum(counts) / len(counts) <= 7


def shapes(records: pl.DataFrame) -> Counter[str]:
    """Return the sentences that the rules wrote, with every name, figure, colour and label taken out."""
    labels = "|".join({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
    things = "|".join(sorted([*THINGS, *load_styles().scenes, *load_styles().distractors], key=len, reverse=True))
    taken = re.compile(rf"\b(?:an? |the )?(?:{things})\b|\b(?:{labels})\b|[0-9.]*[0-9]+|\b[a-z]+ (?:{COLOURS})\b")
    found: Counter[str] = Counter()
    for turns in records["conversations"].to_list():
        for turn in turns if records["task"][0] == "statements/pair" else turns[1::2]:
            found.update(taken.sub("_", sentence) for sentence in re.split(r"(?<=[.?!]) ", turn["value"].lower()))
    return found


COLOURS = "black|grey|white|red|orange|brown|yellow|green|teal|blue|purple|pink"
