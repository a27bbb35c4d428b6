"""JSON schemas of replies, as people write them in a prompt and as services that keep to a schema want them.

Services take a strict subset: every object closed, every field required, no lengths or ranges (Anthropic, "Structured
outputs"). Canonical requests sort their keys, so that the order of fields is kept by `required`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# The rest is added, or refused by services.
KEYWORDS = {
    "string": {"type", "description", "enum"},
    "boolean": {"type", "description"},
    "array": {"type", "description", "items"},
    "object": {"type", "description", "properties"},
}
LABELS = "labels"  # `enum: labels` stands for the labels of the picture's taxonomy


def find_fault(fields: Mapping[str, Any], above: str = "") -> str | None:
    """Return what is wrong with the written schema of some fields, or None."""
    for name, written in fields.items():
        fault = _find_fault_of_one(written, f"{above}{name}")
        if fault:
            return fault
    return None


def _find_fault_of_one(written: Any, name: str) -> str | None:
    kind = written.get("type") if isinstance(written, Mapping) else None
    if not isinstance(kind, str) or kind not in KEYWORDS:
        return f"{name}: expected a mapping with a type, one of {', '.join(KEYWORDS)}; found {written!r}"
    others = sorted(set(map(str, written)) - KEYWORDS[kind])
    if others:
        return f"{name}: a {kind} can have {', '.join(sorted(KEYWORDS[kind]))}; found '{others[0]}'"
    if "enum" in written and written["enum"] != LABELS and not _is_words(written["enum"]):
        return f"{name}.enum: expected a list of words, or '{LABELS}'; found {written['enum']!r}"
    if kind == "array":
        return _find_fault_of_one(written.get("items"), f"{name}.items")
    if kind == "object":
        inner = written.get("properties")
        if not isinstance(inner, Mapping) or not inner:
            return f"{name}.properties: expected the fields of the object; found {inner!r}"
        return find_fault(inner, f"{name}.")
    return None


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


def complete_schema(fields: Mapping[str, Any], labels: Sequence[str] = ()) -> dict[str, Any]:
    """Return the closed JSON schema of an object with these fields, all of them required, in their order."""
    return {
        "type": "object",
        "properties": {name: _complete(written, labels) for name, written in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def _complete(written: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    if written["type"] == "object":
        return {**written, **complete_schema(written["properties"], labels)}
    if written["type"] == "array":
        return {**written, "items": _complete(written["items"], labels)}
    if written.get("enum") == LABELS:
        return {**written, "enum": list(labels)}
    return dict(written)


def in_written_order(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its fields in the order of `required`, as models then write them.

    A canonical request has lost that order, and a question is better written before its answer.
    """
    ordered = dict(schema)
    if "properties" in schema:
        inner = schema["properties"]
        names = [*schema.get("required", ()), *(name for name in inner if name not in schema.get("required", ()))]
        ordered["properties"] = {name: in_written_order(inner[name]) for name in names}
    if "items" in schema:
        ordered["items"] = in_written_order(schema["items"])
    return ordered
