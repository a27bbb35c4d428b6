"""References inside a JSON schema (`#/$defs/…`), and whether a document is a schema at all."""

from typing import Any

import jsonschema_rs


class SchemaFlawError(Exception):
    """A schema can't be followed; the message says why."""


def follow(root: Any, reference: str) -> Any:
    """Return what a reference points to (RFC 6901). Raises SchemaFlawError where there is nothing, or it is outside."""
    if not reference.startswith("#/"):
        raise SchemaFlawError(f"External $ref is not supported: {reference}")
    found = root
    for step in reference.removeprefix("#/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise SchemaFlawError(f"$ref not found: {reference}")
        found = found[name]
    return found


def malformation(schema: Any) -> str | None:
    """Return why a document is no JSON schema (draft 2020-12), or None where it is one."""
    try:
        jsonschema_rs.meta.validate(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as exc:
        return str(getattr(exc, "message", exc))
    return None
