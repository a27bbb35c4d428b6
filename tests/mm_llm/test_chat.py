"""What is learnt is what the saved chat template marks: answers and the token that ends them, nothing else."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.backbone import load_tokenizer
from tinyemo_data.mm_llm.chat import MARK, chat_format, check_template
from tinyemo_data.mm_llm.composition import with_image_token
from tinyemo_data.mm_llm.conversation import Conversation
from tinyemo_data.mm_llm.encoding import encode

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<>"), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text
)


@pytest.fixture(scope="module")
def tokenizer(backbone_folder: Path) -> Any:
    return with_image_token(load_tokenizer(str(backbone_folder)))


def by_template(tokenizer: Any, turns: list[tuple[str, str]], template: str) -> tuple[list[int], list[int]]:
    """Return ids and marks as a trainer gets them from the chat template alone."""
    messages = [
        {"role": role, "content": text}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    found = tokenizer.apply_chat_template(
        messages, chat_template=template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return found["input_ids"], found["assistant_masks"]


@settings(deadline=None, max_examples=60)
@given(turns=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_encoding_and_template_agree_on_ids_and_marks(turns: list[tuple[str, str]], tokenizer: Any) -> None:
    turns = [(f"<image>\n{turns[0][0]}", turns[0][1]), *turns[1:]]
    encoded = encode([Conversation("r", "s", "d", "p", tuple(turns))], tokenizer, patches=1, context=4096)
    ids, learnt = encoded[0]
    expected_ids, expected_marks = by_template(tokenizer, turns, chat_format(tokenizer).template)
    assert ids.tolist() == expected_ids
    assert learnt.astype(int).tolist() == expected_marks


def test_learnt_text_is_the_answers_and_their_ends(tokenizer: Any) -> None:
    turns = (("<image>\nWhat is it?", "It is fear."), ("Why?", "The dark."))
    ids, learnt = encode([Conversation("r", "s", "d", "p", turns)], tokenizer, patches=3, context=512)[0]
    assert tokenizer.decode(ids[learnt]) == " It is fear.</s> The dark.</s>"
    assert int((ids == tokenizer.convert_tokens_to_ids("<image>")).sum()) == 3


def test_template_without_marks_would_learn_no_answer_and_is_refused(tokenizer: Any) -> None:
    template = chat_format(tokenizer).template
    unmarked = template.replace(MARK, "").replace("{% endgeneration %}", "")
    _, marks = by_template(tokenizer, [("<image>\nWhat?", "Fear.")], unmarked)
    assert not any(marks)  # so that a trainer that asks for answers alone finds none to tell from questions

    class Processor:
        chat_template = unmarked

    with pytest.raises(MMLLMError, match=r"models/x: its chat template has no \{% generation %\}"):
        check_template(Processor(), "models/x")


def test_message_parts_are_written_like_plain_text(tokenizer: Any) -> None:
    template = chat_format(tokenizer).template
    parts = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}]
    plain = [{"role": "user", "content": "<image>\nWhat?"}]
    written = [
        tokenizer.apply_chat_template(each, chat_template=template, tokenize=False, add_generation_prompt=True)
        for each in (parts, plain)
    ]
    assert written == [chat_format(tokenizer).prompt("<image>\nWhat?")] * 2


def test_start_token_is_written_only_where_the_tokenizer_writes_it(tokenizer: Any) -> None:
    without = copy.deepcopy(tokenizer)
    from tokenizers.processors import TemplateProcessing

    without.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
    assert (chat_format(tokenizer).start, chat_format(without).start) == ("<s>", "")


def test_prompt_is_what_an_answer_s_record_begins_with(tokenizer: Any) -> None:
    layout = chat_format(tokenizer)
    text, spans = layout.render([("<image>\nWhat?", "Fear.")])
    prompt = layout.prompt("<image>\nWhat?")
    assert text[: spans[0][0]] == prompt
    ids = tokenizer(text, add_special_tokens=False).input_ids
    begun = tokenizer(prompt, add_special_tokens=False).input_ids
    assert np.array_equal(ids[: len(begun)], begun)
