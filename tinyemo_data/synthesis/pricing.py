"""What requests cost: a dated price list, what a reply did cost, and the most that a request can.

Prices are data, in `prices.yaml`. The upper bound is what the budget reserves before anything is sent; what is paid
is settled by the service's own token counts.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.errors import PriceError, nearest
from tinyemo_data.synthesis.reply import Usage

PRICES = Path(__file__).parent / "prices.yaml"
MILLION = 1e6
PATCH = 28  # pixels a side of what one picture token stands for (Anthropic, "Vision")
# What a service adds of its own: turns, and the instructions that make it keep to a schema.
OVERHEAD_TOKENS = 1_500
BYTES_A_TOKEN = 2.5  # of English prose and JSON, with today's tokenizers: for forecasts alone
EXPECTED_SHARE = 0.5  # of max_tokens that an answer is forecast to have
RULES = "rules-"


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens of one model."""

    input: float
    output: float
    cache_write: float  # with a lifetime of an hour
    cache_read: float
    batch_factor: float  # of what message batches cost against single messages
    long_above: float = math.inf  # tokens of a prompt above which all of it costs what `long` says
    long: "Price | None" = None

    def cost(self, usage: Usage, batch: bool = False) -> float:
        """Return the dollars that a reply with these token counts costs."""
        prompt = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
        if self.long is not None and prompt > self.long_above:
            return self.long.cost(usage, batch)
        dollars = (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_write_tokens * self.cache_write
            + usage.cache_read_tokens * self.cache_read
        )
        return dollars / MILLION * (self.batch_factor if batch else 1.0)

    def bound(self, body: dict[str, Any], size: int, batch: bool = False) -> float:
        """Return the most dollars that a request can cost; `size` is its canonical form's, in bytes.

        A token is at least a byte of text, whatever the tokenizer. All of the input may be written to the prompt cache.
        """
        tokens = size + OVERHEAD_TOKENS + picture_tokens(body)
        if self.long is not None and tokens > self.long_above:
            return self.long.bound(body, size, batch)
        dearest = max(self.input, self.cache_write)
        dollars = tokens * dearest + int(body["max_tokens"]) * self.output
        return dollars / MILLION * (self.batch_factor if batch else 1.0)

    def forecast(self, body: dict[str, Any], size: int, batch: bool = False) -> float:
        """Return the dollars that a request will probably cost."""
        usage = Usage(expected_input_tokens(body, size), round(body["max_tokens"] * EXPECTED_SHARE))
        return self.cost(usage, batch)


FREE = Price(0.0, 0.0, 0.0, 0.0, 1.0)


def price_of(model: str, unpriced: bool = False) -> Price:
    """Return a model's price; the rules cost nothing. Raises PriceError for an unknown model unless `unpriced`."""
    known = _price_list()
    if model.startswith(RULES):
        return FREE
    if model in known:
        return known[model]
    if unpriced:
        return FREE
    raise PriceError(
        f"There is no price for the model '{model}'.{nearest(model, known)} Known: {', '.join(sorted(known))}. "
        f"Add it to {PRICES.name}, or, where it costs nothing (a server of your own), set synthesis.unpriced to true "
        "(TINYEMO_SYNTHESIS__UNPRICED=true)."
    )


def picture_tokens(body: dict[str, Any]) -> int:
    """Return the tokens of the picture that a request sends: at most those of a square of its longest side."""
    picture = body.get("picture")
    return math.ceil(picture["side"] / PATCH) ** 2 if picture else 0


def expected_input_tokens(body: dict[str, Any], size: int) -> int:
    """Return about how many tokens a request has."""
    return round(size / BYTES_A_TOKEN) + picture_tokens(body)


@functools.cache
def _price_list() -> dict[str, Price]:
    return read_prices(PRICES)


def read_prices(path: Path) -> dict[str, Price]:
    """Read a price list. Raises PriceError naming the file, the model and the key."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: _price(entry, content) for name, entry in content["models"].items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise PriceError(
            f"{path}: expected batch_factor, cache (write_1h, read) and models with input and output in dollars per "
            f"million tokens; {type(exc).__name__}: {exc}. Restore it from the package."
        ) from exc


def _price(entry: dict[str, Any], content: dict[str, Any]) -> Price:
    cache, dear = content["cache"], entry.get("long_prompt")
    return Price(
        float(entry["input"]),
        float(entry["output"]),
        float(entry["input"]) * float(cache["write_1h"]),
        float(entry.get("cache_read", float(entry["input"]) * float(cache["read"]))),
        float(content["batch_factor"]),
        float(dear["above"]) if dear else math.inf,
        _price({**dear, "long_prompt": None}, content) if dear else None,
    )
