"""A JSON value that fits a schema, made up by chance: strings are prose, everything else is as plain as it can be."""

import math
import random
from collections.abc import Callable
from typing import Any

from tinyemo_data.synthesis.rehearsal.prose import write_prose
from tinyemo_data.synthesis.rehearsal.schema_reference import SchemaFlawError, follow

Schema = dict[str, Any]
DEEPEST = 6  # levels of nesting below which only what must be there is made
LONGEST_LIST = 3
OPTIONAL_SHARE = 0.75  # of properties that a schema does not require
ALONE, IN_LISTS = (2, 3), (1, 1)  # sentences of a text
REACH = 100  # numbers without limits are at most this
TINY = 1e-6  # by which a number misses a limit that excludes itself
MOST_HOPS = 32  # from one $ref to the next
# What a value is not made to fit: such schemas are refused rather than answered wrongly.
NOT_FITTED = {
    *("pattern", "uniqueItems", "contains", "prefixItems", "patternProperties", "propertyNames", "minProperties"),
    *("maxProperties", "dependentRequired", "dependentSchemas", "not", "if", "$dynamicRef", "unevaluatedProperties"),
}
FORMATS = {
    "date-time": "2026-11-{:02d}T09:{:02d}:00Z",
    "time": "{:02d}:{:02d}:00Z",
    "date": "20{1:02d}-11-{0:02d}",
    "duration": "P{}DT{}H",
    "email": "reader{}{}@example.org",
    "hostname": "host{}-{}.example.org",
    "uri": "https://example.org/{}/{}",
    "ipv4": "192.0.2.{0}",
    "ipv6": "2001:db8::{0:x}:{1:x}",
    "uuid": "00000000-0000-4000-8000-0000000{:02d}{:03d}",
}


class Fitter:
    """Makes values that fit `schema`; equal seeds give equal values."""

    def __init__(self, schema: Schema, seed: int) -> None:
        """Take a schema whose `$ref`s point into itself (`#/$defs/…`)."""
        self._root = schema
        self._chance = random.Random(seed)
        self._sentences = ALONE
        self._makers: dict[str, Callable[[Schema, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _schema, _depth: self._chance.random() < 0.5,
            "null": lambda _schema, _depth: None,
        }

    def fit(self) -> Any:
        """Return a value that fits. Raises SchemaFlawError for a reference that leads nowhere."""
        return self._value(self._root, 0)

    def _value(self, schema: Schema, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._value(self._alternative(schema[key], depth), depth)
        return self._makers[self._type(schema, depth)](schema, depth)

    def _resolved(self, schema: Schema) -> Schema:
        """Follow `$ref`, and put the parts of an `allOf` together."""
        for _ in range(MOST_HOPS):
            if "$ref" not in schema:
                break
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = beside | follow(self._root, schema["$ref"])
        else:
            raise SchemaFlawError(f"$ref leads in a circle: {schema['$ref']}")
        if "allOf" not in schema:
            return schema
        together: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            together = _both(together, self._resolved(part))
        return together

    def _alternative(self, alternatives: list[Schema], depth: int) -> Schema:
        if depth >= DEEPEST:
            return min(alternatives, key=_nesting)
        return self._chance.choice(alternatives)

    def _type(self, schema: Schema, depth: int) -> str:
        found = schema.get("type")
        if isinstance(found, list):
            shallow = [name for name in found if name not in ("object", "array")] if depth >= DEEPEST else found
            return str(self._chance.choice(shallow or found))
        if found is None:
            return "object" if "properties" in schema else "array" if "items" in schema else "string"
        return str(found)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        return {
            name: self._value(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or (depth < DEEPEST and self._chance.random() < OPTIONAL_SHARE)
        }

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        fewest = schema.get("minItems", 0)
        most = max(fewest, min(schema.get("maxItems", LONGEST_LIST), fewest + LONGEST_LIST))
        length = fewest if depth >= DEEPEST else self._chance.randint(max(fewest, min(1, most)), most)
        self._sentences, before = IN_LISTS, self._sentences
        made = [self._value(schema.get("items", {}), depth + 1) for _ in range(length)]
        self._sentences = before
        return made

    def _string(self, schema: Schema, _depth: int) -> str:
        if shape := FORMATS.get(schema.get("format", "")):
            return shape.format(self._chance.randint(10, 22), self._chance.randint(10, 59))
        return write_prose(self._chance, schema.get("minLength", 0), schema.get("maxLength"), self._sentences)

    def _integer(self, schema: Schema, _depth: int) -> int:
        return int(self._multiple(schema, schema.get("multipleOf", 1), 1))

    def _number(self, schema: Schema, _depth: int) -> float:
        if "multipleOf" in schema:
            return float(self._multiple(schema, schema["multipleOf"], TINY))
        lowest, highest = _range(schema, TINY)
        return min(max(round(self._chance.uniform(lowest, highest), 2), lowest), highest)

    def _multiple(self, schema: Schema, step: float, beside: float) -> float:
        lowest, highest = _range(schema, beside)
        first, last = math.ceil(lowest / step), math.floor(highest / step)
        return self._chance.randint(first, max(first, last)) * step


def _range(schema: Schema, beside: float) -> tuple[float, float]:
    """Return the lowest and the highest number; an exclusive limit is missed by `beside`."""
    lowest = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + beside)
    highest = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - beside)
    if lowest == -math.inf:
        lowest = 0 if highest >= 0 else highest - REACH
    return lowest, max(lowest, lowest + REACH if highest == math.inf else highest)


def _both(first: Schema, second: Schema) -> Schema:
    together = first | second
    if "properties" in first and "properties" in second:
        together["properties"] = first["properties"] | second["properties"]
    if "required" in first and "required" in second:
        together["required"] = [*first["required"], *second["required"]]
    return together


def _nesting(schema: Schema) -> int:
    """Order alternatives by how deep they may lead: plain values first."""
    if "$ref" in schema or schema.get("type") in ("object", "array"):
        return 1
    return 0


def unfitted(schema: Any) -> str | None:
    """Return a keyword of `schema` that values are not made to fit, or None."""
    if isinstance(schema, list):
        return next(filter(None, map(unfitted, schema)), None)
    if not isinstance(schema, dict):
        return None
    for key, value in schema.items():
        if key in NOT_FITTED:
            return str(key)
        if key in ("const", "enum", "default", "examples"):
            continue
        # Below these, keys are names that somebody chose.
        parts = list(value.values()) if key in ("properties", "$defs", "definitions") else value
        if found := unfitted(parts):
            return found
    return None
