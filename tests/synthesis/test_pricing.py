import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import PriceError
from tinyemo_data.synthesis.pricing import PRICES, Price, price_of, read_prices
from tinyemo_data.synthesis.reply import Usage

HAIKU = "claude-haiku-5-5"


def test_cost_counts_each_kind_of_token_at_its_own_price() -> None:
    price = Price(input=2, output=10, cache_write=4, cache_read=0.2, batch_factor=0.5)
    usage = Usage(1_000_000, 100_000, 500_000, 1_000_000)
    assert price.cost(usage) == pytest.approx(2 + 1 + 2 + 0.2)
    assert price.cost(usage, batch=True) == pytest.approx(price.cost(usage) / 2)


@given(st.text(max_size=200), st.integers(1, 2_000), st.sampled_from([None, {"sha256": "0", "side": 512}]))
def test_bound_is_never_below_what_any_tokenizer_could_make_it_cost(text: str, most: int, picture: object) -> None:
    body = {"text": text, "max_tokens": most, "picture": picture}
    price = price_of(HAIKU)
    dearest = Usage(0, most, len(text.encode()) + (math.ceil(512 / 28) ** 2 if picture else 0), 0)
    assert price.bound(body, len(text.encode())) >= price.cost(dearest)
    assert price.forecast(body, len(text.encode())) <= price.bound(body, len(text.encode()))


def test_rules_cost_nothing() -> None:
    assert price_of("rules-1").cost(Usage(10**9, 10**9)) == 0


def test_price_of_names_the_nearest_model_when_unknown() -> None:
    with pytest.raises(PriceError, match=f"Did you mean '{HAIKU}'"):
        price_of("claude-haiku-5.5")
    assert price_of("bunny-3b", unpriced=True).cost(Usage(10**6, 10**6)) == 0


@pytest.mark.parametrize("content", ["", "models: 3", "batch_factor: half", "[1, 2]", "{: :"])
def test_read_prices_names_the_file_when_it_is_malformed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(content)
    with pytest.raises(PriceError, match=r"prices\.yaml"):
        read_prices(path)


def test_the_price_list_is_dated_and_has_its_source() -> None:
    text = PRICES.read_text(encoding="utf-8")
    assert "dated:" in text
    assert "source:" in text
