"""Which JSON schemas the Messages API takes for structured output.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs (JSON Schema limitations), and the
SDK's `transform_schema`, which rewrites what the service does not take.
"""

import functools
from collections.abc import Iterator
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.schema_reference import SchemaFlawError, follow, malformation

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
SAYING = {"type", "anyOf", "allOf", "enum", "const", "$ref"}  # a schema has one of these
ANYWHERE = SAYING | {"description", "title", "default", "$defs", "definitions"}
TAKEN = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format"},
}
WHERE = "output_config.format.schema: "


def schema_flaw(schema: Any) -> str | None:
    """Return what is wrong with a schema, in the service's words; None where it is taken."""
    # Every request of a set has the same schema: it is walked through once.
    return _flaw_of(orjson.dumps(schema))


@functools.lru_cache(maxsize=256)
def _flaw_of(document: bytes) -> str | None:
    schema = orjson.loads(document)
    if not isinstance(schema, dict):
        return f"{WHERE}Input should be a valid dictionary"
    flaw = malformation(schema) or next(_flaws(schema, schema, ()), None)
    return None if flaw is None else WHERE + flaw


def _flaws(schema: Any, root: dict[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    """Yield the flaws of a schema and of all below it; `above` are the references that led here."""
    if not isinstance(schema, dict):
        yield "Input should be a valid dictionary"
        return
    if "$ref" in schema:
        yield from _reference_flaws(str(schema["$ref"]), root, above)
    yield from _own_flaws(schema)
    for part in _parts(schema):
        yield from _flaws(part, root, above)


def _own_flaws(schema: dict[str, Any]) -> Iterator[str]:
    found = schema.get("type")
    kinds = found if isinstance(found, list) else [] if found is None else [found]
    for kind in kinds:
        if kind not in TYPES:
            yield f"Invalid type: {kind!r}"
    if "object" in kinds and schema.get("additionalProperties") is not False:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if "array" in kinds and schema.get("minItems", 0) not in (0, 1):
        yield f"For 'array' type, 'minItems' values other than 0 or 1 are not supported: {schema['minItems']}"
    if "string" in kinds and schema.get("format", FORMATS[0]) not in FORMATS:
        yield f"For 'string' type, format {schema['format']!r} is not supported"
    for name in sorted(set(schema) - ANYWHERE.union(*(TAKEN.get(str(kind), ()) for kind in kinds))):
        yield f"For '{found}' type, property '{name}' is not supported"
    if not SAYING & set(schema):
        yield f"Schema must have one of {', '.join(sorted(SAYING))}"
    if "enum" in schema and not schema["enum"]:
        yield "enum must have at least one member"
    if any(isinstance(member, dict | list) for member in schema.get("enum", ())):
        yield "enum members must be strings, numbers, booleans or null"


def _reference_flaws(reference: str, root: dict[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    if reference in above:
        yield f"Recursive schemas are not supported: {reference}"
        return
    try:
        found = follow(root, reference)
    except SchemaFlawError as exc:
        yield str(exc)
        return
    yield from _flaws(found, root, (*above, reference))


def _parts(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas directly below; definitions are looked at where they are used."""
    properties = schema.get("properties")
    yield from properties.values() if isinstance(properties, dict) else ()
    if "items" in schema:
        yield schema["items"]
    for key in ("anyOf", "allOf"):
        parts = schema.get(key)
        yield from parts if isinstance(parts, list) else ()
