"""Made-up values fit their schemas: for any schema, not only for ours."""

from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.synthesis.rehearsal.fitting import Fitter, unfitted
from tinyemo_data.synthesis.rehearsal.schema_reference import SchemaFlawError
from tinyemo_data.synthesis.rehearsal.schema_rules import FORMATS, schema_flaw

Schemas = st.SearchStrategy[dict[str, Any]]
NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
INTEGERS = st.integers(-(2**63), 2**64 - 1)  # what orjson reads and writes, so what a schema can hold
PLAIN = st.one_of(
    st.just({"type": "string"}),
    st.sampled_from([{"type": "string", "format": name} for name in FORMATS if name != "duration"]),
    st.sampled_from([{"type": kind} for kind in ("integer", "number", "boolean", "null")]),
    st.lists(st.text(max_size=5) | INTEGERS | st.none(), min_size=1, max_size=4).map(lambda found: {"enum": found}),
    st.text(max_size=5).map(lambda found: {"const": found}),
    st.just({"type": ["string", "null"]}),
)


def closed(properties: dict[str, Any], needed: list[bool]) -> dict[str, Any]:
    required = [name for name, is_needed in zip(properties, needed, strict=False) if is_needed]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def nested(inner: Schemas) -> Schemas:
    return st.one_of(
        st.builds(closed, st.dictionaries(NAMES, inner, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4)),
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 1)),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: {"anyOf": found}),
        inner.map(lambda found: {"allOf": [found]}),
    )


STRICT = st.recursive(PLAIN, nested, max_leaves=12)


@st.composite
def bounded_numbers(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["integer", "number"]))
    low = draw(st.integers(-1_000, 1_000))
    high = low + draw(st.integers(2, 500))
    schema: dict[str, Any] = {"type": kind}
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = high
    return schema


@st.composite
def bounded_texts(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.integers(0, 400))
    return {"type": "string", "minLength": least, "maxLength": least + draw(st.integers(0, 300))}


@given(schema=STRICT, seed=st.integers(0, 2**64))
def test_a_value_fits_any_schema_that_the_service_takes(schema: dict[str, Any], seed: int) -> None:
    assert schema_flaw(schema) is None
    value = Fitter(schema, seed).fit()
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(orjson.loads(orjson.dumps(value)))


@given(schema=bounded_numbers() | bounded_texts(), seed=st.integers(0, 2**32))
def test_a_value_keeps_limits(schema: dict[str, Any], seed: int) -> None:
    jsonschema_rs.validate(schema, Fitter(schema, seed).fit())


@given(step=st.sampled_from([2, 5, 0.5, 0.25]), low=st.integers(-50, 50), seed=st.integers(0, 2**32))
def test_a_number_is_a_multiple(step: float, low: int, seed: int) -> None:
    schema = {"type": "number", "multipleOf": step, "minimum": low, "maximum": low + 10}
    jsonschema_rs.validate(schema, Fitter(schema, seed).fit())


@given(least=st.integers(0, 8), more=st.integers(0, 5), seed=st.integers(0, 2**32))
def test_a_list_has_the_length_that_is_asked_for(least: int, more: int, seed: int) -> None:
    schema = {"type": "array", "items": {"type": "boolean"}, "minItems": least, "maxItems": least + more}
    jsonschema_rs.validate(schema, Fitter(schema, seed).fit())


@given(schema=STRICT, seed=st.integers(0, 2**64))
@settings(max_examples=50)
def test_equal_seeds_give_equal_values(schema: dict[str, Any], seed: int) -> None:
    assert Fitter(schema, seed).fit() == Fitter(schema, seed).fit()


def test_references_are_followed() -> None:
    schema = {
        "$defs": {"Mood": {"enum": ["calm", "tense"]}, "Both": {"allOf": [{"$ref": "#/$defs/Mood"}]}},
        **closed(
            {"a": {"$ref": "#/$defs/Mood"}, "b": {"type": "array", "items": {"$ref": "#/$defs/Both"}}}, [True] * 2
        ),
    }
    assert schema_flaw(schema) is None
    for seed in range(20):
        jsonschema_rs.validate(schema, Fitter(schema, seed).fit())


def test_a_tree_that_refers_to_itself_ends_somewhere() -> None:
    tree = closed({"value": {"type": "string"}, "next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, [True, True])
    tree["properties"]["next"]["anyOf"][1] = {"$ref": "#/$defs/tree"}
    schema = {"$defs": {"tree": tree}, "$ref": "#/$defs/tree"}
    for seed in range(50):
        jsonschema_rs.validate(schema, Fitter(schema, seed).fit())


@pytest.mark.parametrize("reference", ["#/$defs/none", "https://example.org/a", "#/$defs/a"])
def test_a_reference_that_leads_nowhere_is_said(reference: str) -> None:
    with pytest.raises(SchemaFlawError):
        Fitter({"$ref": reference, "$defs": {"a": {"$ref": "#/$defs/a"}}}, 0).fit()


def test_keywords_that_are_not_fitted_are_found_wherever_they_are() -> None:
    assert unfitted(closed({"pattern": {"type": "string"}}, [True])) is None
    assert unfitted({"anyOf": [{"type": "string"}, {"items": {"pattern": "a"}}]}) == "pattern"
    assert unfitted({"properties": {"a": {"uniqueItems": True}}}) == "uniqueItems"
