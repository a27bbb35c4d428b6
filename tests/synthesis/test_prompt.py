import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis.prompt import load_prompt, parse_prompt, prompt_ids

FRONT = "---\nid: set/task\npurpose: p\nvariables: {name: n}\noutput: {answer: a}\n---\n"


@pytest.mark.parametrize("prompt_id", prompt_ids())
def test_every_prompt_parses_and_renders_exactly_its_declared_variables(prompt_id: str) -> None:
    prompt = load_prompt(prompt_id)
    assert prompt.render(**{name: {"scene": "beach"} for name in prompt.variables})


def test_caption_prompt_holds_notes_as_data_when_attributes_are_given() -> None:
    text = load_prompt("pretrain/caption").render(question="What is this?", attributes={"scene": "beach"})
    assert "<notes>\nscene: beach\n</notes>" in text
    assert "<notes>" not in load_prompt("pretrain/caption").render(question="What is this?", attributes={})


@pytest.mark.parametrize("values", [{}, {"name": 1, "other": 2}], ids=["missing", "unknown"])
def test_render_refuses_other_variables_than_declared(values: dict[str, int]) -> None:
    with pytest.raises(PromptError, match=r"takes exactly \['name'\]"):
        parse_prompt(FRONT + "{{ name }}", "set/task", "here").render(**values)


def test_render_refuses_a_name_that_the_front_matter_does_not_declare() -> None:
    with pytest.raises(PromptError, match="'nmae' is undefined"):
        parse_prompt(FRONT + "{{ nmae }}", "set/task", "here").render(name="x")


def test_render_cannot_reach_python_when_a_template_tries() -> None:
    prompt = parse_prompt(FRONT + "{{ name.__class__.__mro__ }}", "set/task", "here")
    with pytest.raises(PromptError, match="unsafe"):
        prompt.render(name="x")


def test_values_are_never_evaluated_as_templates() -> None:
    assert parse_prompt(FRONT + "{{ name }}", "set/task", "here").render(name="{{ 1 + 1 }}") == "{{ 1 + 1 }}\n"


def test_load_prompt_names_the_nearest_when_there_is_none_of_that_id() -> None:
    with pytest.raises(PromptError, match="Did you mean 'pretrain/caption'"):
        load_prompt("pretrain/captoin")


@given(st.text())
def test_parse_prompt_gives_a_prompt_or_one_prompt_error(text: str) -> None:
    try:
        parse_prompt(text, "set/task", "here")
    except PromptError as exc:
        assert str(exc).startswith("here")
