"""What the parts need that all cards share: biases, uses, citation."""

from typing import Any

from tinyemo_data.hub.biases import Biases, Slice
from tinyemo_data.hub.code_identity import code_identity
from tinyemo_data.hub.licences import all_licences
from tinyemo_data.hub.repository import Repository


def shared_by_cards(repository: Repository, biases: Biases, licences: list[dict[str, str]]) -> dict[str, Any]:
    """Return what the parts that all cards share need."""
    return {
        "repository": repository,
        "key": repository.name.replace("-", "_").replace(".", "_"),
        "code": code_identity(),
        "ours": all_licences().ours,
        "biases": biases,
        "cites": licences,
        "paper": all_licences().paper,
        "slice_rows": lambda slices: [(*_effect(one), one.q, one.pictures, *_settled(one)) for one in slices],
        "undecided_rows": lambda slices: [(*_effect(one), one.q, one.pictures, f"`{one.slice_id}`") for one in slices],
        "decided_rows": lambda slices: [(*_effect(one), one.decision, _settled(one)[1]) for one in slices],
    }


def _effect(one: Slice) -> tuple[str, str, str, float | None, str]:
    known = one.low is not None and one.high is not None
    interval = f"{one.low:.2f} to {one.high:.2f}" if known else "–"
    return one.attribute, one.emotion, one.dataset, one.effect, interval


def _settled(one: Slice) -> tuple[int | None, str]:
    return (None, "") if one.settled is None else (one.settled.severity, one.settled.reason)
