"""What a message's reply is like, as the vendor's client takes it."""

import math

import jsonschema_rs
import orjson
import pytest

from tests.synthesis.rehearsal.pictures import encode_picture, image_block
from tests.synthesis.rehearsal.talking import FORMAT, MODEL, SCHEMA, ask, ask_all, question, send, talk, text_of
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer


@pytest.mark.parametrize("aiohttp", [True, False], ids=["aiohttp", "httpx2"])
def test_a_message_is_answered_in_prose(server: RunningServer, aiohttp: bool) -> None:
    message = talk(server, lambda client: client.messages.create(**question()), aiohttp=aiohttp)
    assert (message.role, message.stop_reason, message.model) == ("assistant", "end_turn", MODEL)
    assert len(text_of(message).split()) > 5
    assert text_of(message).endswith(".")
    assert message._request_id


def test_equal_questions_get_equal_answers_and_others_get_others(server: RunningServer) -> None:
    first, again, other = (ask(server, **question(text)) for text in ("one", "one", "two"))
    assert first == again
    assert text_of(first) != text_of(other)


def test_the_order_of_keys_does_not_change_the_answer(server: RunningServer) -> None:
    body = question()
    turned = dict(reversed(body.items()))
    assert send(server, "/v1/messages", body)[2] == send(server, "/v1/messages", turned)[2]


def test_an_answer_fits_its_schema(server: RunningServer) -> None:
    replies = [reply for reply in ask_all(server, 20, output_config=FORMAT) if not isinstance(reply, Exception)]
    answers = [orjson.loads(text_of(reply)) for reply in replies]
    for answer in answers:
        jsonschema_rs.validate(SCHEMA, answer)
    assert len({answer["caption"] for answer in answers}) == 20
    assert {answer["emotion"] for answer in answers} == {"awe", "anger", "fear"}


def test_text_is_counted_and_charged(server: RunningServer) -> None:
    short, long = ask(server, **question("x" * 250)), ask(server, **question("x" * 2_500))
    assert long.usage.input_tokens - short.usage.input_tokens == 900
    bill = server.bill()
    spent = short.usage, long.usage
    dollars = sum(usage.input_tokens * 0.10 + usage.output_tokens * 0.50 for usage in spent) / 1e6
    assert bill.usd == pytest.approx(dollars)
    assert (bill.paid, bill.distinct_paid) == (2, 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_costs_a_token_for_each_patch_of_28_pixels(server: RunningServer, kind: str) -> None:
    content = [image_block(encode_picture(kind, 300, 200), kind), {"type": "text", "text": "What?"}]
    with_picture = ask(server, **question(messages=[{"role": "user", "content": content}]))
    without = ask(server, **question(messages=[{"role": "user", "content": content[1:]}]))
    patches = math.ceil(300 / 28) * math.ceil(200 / 28)
    assert with_picture.usage.input_tokens - without.usage.input_tokens == patches


def test_counted_tokens_are_those_of_the_message(server: RunningServer) -> None:
    body = question("How many?", system="Be brief.", output_config=FORMAT)
    message = ask(server, **body)
    body.pop("max_tokens")
    counted = talk(server, lambda client: client.messages.count_tokens(**body))
    assert counted.input_tokens == message.usage.input_tokens
    assert server.bill().paid == 1


@pytest.mark.parametrize("limit", [1, 10, 40])
def test_an_answer_stops_at_max_tokens(server: RunningServer, limit: int) -> None:
    message = ask(server, **question(output_config=FORMAT, max_tokens=limit))
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == limit
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text_of(message))


def test_no_tokens_are_written_when_none_may_be(server: RunningServer) -> None:
    message = ask(server, **question(max_tokens=0))
    assert (message.content, message.usage.output_tokens) == ([], 0)


def test_thinking_comes_first_without_its_text_and_is_paid(server: RunningServer) -> None:
    plain = ask(server, **question())
    server.set_faults(Faults(thinking=1))
    thought = ask(server, **question())
    assert [block.type for block in thought.content] == ["thinking", "text"]
    assert thought.content[0].type == "thinking"
    assert (thought.content[0].thinking, bool(thought.content[0].signature)) == ("", True)
    assert thought.usage.output_tokens_details is not None
    spent = thought.usage.output_tokens_details.thinking_tokens
    assert spent > 0
    assert thought.usage.output_tokens == plain.usage.output_tokens + spent


def test_thinking_is_shown_or_left_out_when_asked(server: RunningServer) -> None:
    server.set_faults(Faults(thinking=1))
    shown = ask(server, **question(thinking={"type": "adaptive", "display": "summarized"}))
    assert shown.content[0].type == "thinking"
    assert shown.content[0].thinking
    off = ask(server, **question(thinking={"type": "disabled"}))
    assert [block.type for block in off.content] == ["text"]


def test_thinking_can_use_up_all_tokens_before_any_text(server: RunningServer) -> None:
    server.set_faults(Faults(thinking=1))
    message = ask(server, **question(max_tokens=20))
    assert [block.type for block in message.content] == ["thinking"]
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 20)


def test_a_share_of_replies_thinks(server: RunningServer) -> None:
    server.set_faults(Faults(thinking=0.5))
    kinds = [message.content[0].type for message in ask_all(server, 40) if not isinstance(message, Exception)]
    assert 10 <= kinds.count("thinking") <= 30


def test_models_are_those_with_a_price(server: RunningServer) -> None:
    models = talk(server, lambda client: client.models.list())
    assert {model.id for model in models.data} >= {MODEL, "claude-sonnet-5-5", "claude-opus-5-5"}
    assert talk(server, lambda client: client.models.retrieve(MODEL)).max_tokens == 128_000


def test_a_model_without_a_price_answers_for_nothing(server: RunningServer) -> None:
    assert text_of(ask(server, **question(model="claude-of-tomorrow")))
    assert (server.bill().paid, server.bill().usd) == (1, 0)
