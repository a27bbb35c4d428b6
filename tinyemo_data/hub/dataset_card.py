"""A set's card: the tables and sentences that its template shows."""

from collections.abc import Iterator
from typing import Any

from tinyemo_data.hub.card import render
from tinyemo_data.hub.columns import columns
from tinyemo_data.hub.facts import SetFacts
from tinyemo_data.hub.front_matter import as_yaml, dataset_front_matter
from tinyemo_data.hub.shared_parts import shared_by_cards
from tinyemo_data.hub.terms import terms_of

TITLES = {
    "pretrain": "TinyEmo Pretrain: captions and questions about emotional pictures",
    "finetune": "TinyEmo EmoReason: why a picture evokes its emotion",
    "hq": "TinyEmo EmoReason HQ: careful accounts of why a picture evokes its emotion",
}


def render_dataset_card(facts: SetFacts, example: str) -> str:
    """Return a set's README.md; `example` is the id of one of its records."""
    title = TITLES[facts.repository.what]
    body = render(
        "dataset.md.j2",
        facts=facts,
        title=title,
        example=example,
        titles=[row["title"] for row in facts.licences],
        columns=[(f"`{one.name}`", _type(one), one.description) for one in columns()],
        task_rows=[(one["task"], one["variant"] or "–", one["records"]) for one in facts.counts.by("task", "variant")],
        emotion_table=facts.counts.table(["emotion", "taxonomy"], "task"),
        dataset_table=facts.counts.table(["dataset"], "task"),
        taxonomy_rows=[(f"`{one.name}`: {one.title}", ", ".join(one.labels), one.source) for one in facts.taxonomies],
        origin_rows=[(one["label_origin"] or "nobody", one["records"]) for one in facts.counts.by("label_origin")],
        generator_rows=list(_generators(facts)),
        prompt_rows=[
            (f"`{one.id}`", f"`{one.digest}`", f"[{one.path}]({one.path})" if one.text else "edited since, or not ours")
            for one in facts.prompts
        ],
        stage_rows=[(one.name, one.explained, one.entered, one.held_back) for one in facts.funnel.stages()],
        reason_rows=[
            (gate, reason, count)
            for gate, reasons in facts.funnel.reasons().items()
            for reason, count in reasons.items()
        ],
        overlap_rows=[
            (f"{one.dataset}/{one.split}", one.pictures, one.shown, one.identical, one.records)
            for one in facts.contamination.overlaps
        ],
        balance=_balance(facts),
        licence_rows=[
            (f"[{row['title']}]({row['home']})", row["found"], _pictures(row), _features(row)) for row in facts.licences
        ],
        terms_rows=[{"name": name, **terms_of(name).model_dump()} for name in facts.generators],
        **shared_by_cards(facts.repository, facts.biases, facts.licences),
    )
    return as_yaml(dataset_front_matter(facts, title)) + "\n" + body


def _type(column: Any) -> str:
    inner = "{" + ", ".join(name for name, _ in column.parts) + "}" if column.parts else column.type
    return f"list of {inner}" if column.is_list else inner


def _generators(facts: SetFacts) -> Iterator[tuple[str, str, int, int, int, str]]:
    for one in facts.counts.by("generator", "model"):
        dollars = f"{one['usd']:.4f}"
        yield one["generator"], one["model"], one["records"], one["input_tokens"], one["output_tokens"], dollars


def _balance(facts: SetFacts) -> str:
    labelled = [one for one in facts.counts.by("emotion", "taxonomy") if one["emotion"] is not None]
    if not labelled:
        return "The records have no emotion to be even over."
    rarest, commonest = (pick(labelled, key=lambda one: one["records"]) for pick in (min, max))
    return (
        f"Emotions are not even: {commonest['emotion']} ({commonest['taxonomy']}) has {commonest['records']:,} "
        f"records, {rarest['emotion']} ({rarest['taxonomy']}) {rarest['records']:,}."
    )


def _pictures(row: dict[str, str]) -> str:
    return {"never": "never published"}[row["pictures"]]


def _features(row: dict[str, str]) -> str:
    return {"never": "never published", "override": "not published here"}[row["features"]]
