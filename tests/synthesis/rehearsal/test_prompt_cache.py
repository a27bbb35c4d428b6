"""The prompt cache, through the vendor's client and alone."""

from typing import Any

import pytest

from tests.synthesis.rehearsal.talking import MODEL, ask, question, talk
from tests.synthesis.rehearsal.test_batches import ended, rows
from tinyemo_data.synthesis.rehearsal.process import RunningServer
from tinyemo_data.synthesis.rehearsal.prompt_blocks import Block
from tinyemo_data.synthesis.rehearsal.prompt_cache import NOTHING, PromptCache

LONG = "A rule that is always the same. " * 100  # 1,280 tokens: beyond the 512 that the models ask for


def system(text: str = LONG, ttl: str = "1h") -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}]


@pytest.mark.parametrize(("ttl", "factor"), [("5m", 1.25), ("1h", 2.0)])
def test_a_prefix_is_written_once_and_read_afterwards(server: RunningServer, ttl: str, factor: float) -> None:
    uncached = ask(server, **question("one", system=LONG)).usage
    first, second = (ask(server, **question(text, system=system(ttl=ttl))).usage for text in ("one", "two"))
    assert first.cache_creation_input_tokens == 1_284
    assert (first.cache_read_input_tokens, second.cache_creation_input_tokens) == (0, 0)
    assert second.cache_read_input_tokens == 1_284
    assert first.input_tokens + 1_284 == uncached.input_tokens
    assert first.cache_creation is not None
    assert getattr(first.cache_creation, f"ephemeral_{ttl}_input_tokens") == 1_284
    spent = [first, second, uncached]
    dollars = sum(usage.input_tokens * 0.10 + usage.output_tokens * 0.50 for usage in spent)
    assert server.bill().usd * 1e6 == pytest.approx(dollars + 1_284 * 0.10 * factor + 1_284 * 0.01)


def test_a_short_prefix_is_silently_not_cached(server: RunningServer) -> None:
    usages = [ask(server, **question(str(n), system=system("Be brief. " * 20))).usage for n in range(2)]
    assert [(usage.cache_creation_input_tokens, usage.cache_read_input_tokens) for usage in usages] == [(0, 0)] * 2


def test_another_model_or_prefix_reads_nothing(server: RunningServer) -> None:
    ask(server, **question(system=system()))
    for model, text in [("claude-opus-5-5", LONG), (MODEL, LONG + "And one more.")]:
        usage = ask(server, **question(model=model, system=system(text))).usage
        assert usage.cache_read_input_tokens == 0
        assert usage.cache_creation_input_tokens


def test_a_batch_uses_the_cache_at_half_the_price(server: RunningServer) -> None:
    async def scenario(client: Any) -> None:
        made = await client.messages.batches.create(requests=rows(5, system=system()))
        await ended(client, made.id)

    talk(server, scenario)
    part = server.bill().by_model[MODEL]
    assert (part.cache_write_tokens, part.cache_read_tokens) == (1_284, 4 * 1_284)


def blocks(*texts: str, breakpoints: dict[int, str]) -> list[Block]:
    return [Block("user", text, 1_000, breakpoints.get(at)) for at, text in enumerate(texts)]


def test_entries_expire_and_are_kept_alive_by_reading() -> None:
    cache = PromptCache()
    prompt = blocks("a", "b", breakpoints={0: "5m"})
    cache.keep(cache.look_up(MODEL, prompt, 512, 0.0), 0.0, 0.0)
    for now in (299.0, 590.0):
        reading = cache.look_up(MODEL, prompt, 512, now)
        assert (reading.read, reading.written) == (1_000, {})
        cache.keep(reading, now, now)
    assert cache.look_up(MODEL, prompt, 512, 891.0).read == 0


def test_an_entry_can_be_read_only_when_the_reply_that_writes_it_has_begun() -> None:
    cache = PromptCache()
    prompt = blocks("a", breakpoints={0: "5m"})
    cache.keep(cache.look_up(MODEL, prompt, 512, 0.0), 0.0, 2.0)
    assert [cache.look_up(MODEL, prompt, 512, now).read for now in (1.0, 2.0)] == [0, 1_000]


def test_a_longer_conversation_reads_what_is_up_to_twenty_blocks_back() -> None:
    cache = PromptCache()
    texts = [str(number) for number in range(40)]
    cache.keep(cache.look_up(MODEL, blocks(*texts[:5], breakpoints={4: "5m"}), 512, 0.0), 0.0, 0.0)
    near = cache.look_up(MODEL, blocks(*texts[:24], breakpoints={23: "5m"}), 512, 1.0)
    assert (near.read, near.written) == (5_000, {"5m": 19_000})
    far = cache.look_up(MODEL, blocks(*texts[:25], breakpoints={24: "5m"}), 512, 1.0)
    assert (far.read, far.written) == (0, {"5m": 25_000})


def test_each_part_is_written_for_its_own_time() -> None:
    reading = PromptCache().look_up(MODEL, blocks("a", "b", "c", breakpoints={0: "1h", 2: "5m"}), 512, 0.0)
    assert reading.written == {"1h": 1_000, "5m": 2_000}


def test_without_a_breakpoint_nothing_is_kept() -> None:
    assert PromptCache().look_up(MODEL, blocks("a", "b", breakpoints={}), 512, 0.0) == NOTHING
