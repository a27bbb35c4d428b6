"""What the rehearsal server charges: the project's price list, read and multiplied on its own.

The engine has a reader of its own for the same file. That both come to the same dollars is then a finding, not a
tautology.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.errors import RehearsalError

PRICES = Path(__file__).parents[1] / "prices.yaml"
MILLION = 1e6
UNPRICED_CACHE_MINIMUM = 1024  # tokens


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one reply used, each token in one of the five."""

    input: int = 0  # neither written to the prompt cache nor read from it
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0

    @property
    def prompt(self) -> int:
        """Return the tokens of the whole prompt, cached or not."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float

    def dollars(self, tokens: Tokens) -> float:
        """Return what these tokens cost."""
        return (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_write_5m * self.cache_write_5m
            + tokens.cache_write_1h * self.cache_write_1h
            + tokens.cache_read * self.cache_read
        ) / MILLION


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What one model charges."""

    rates: Rates
    cache_minimum: int  # tokens: a shorter prefix is silently not cached
    batch_factor: float
    long_above: int | None = None  # tokens of the prompt from which on `long_rates` hold for all of a request
    long_rates: Rates | None = None

    def dollars(self, tokens: Tokens, batch: bool) -> float:
        """Return what one reply costs."""
        long = self.long_rates is not None and self.long_above is not None and tokens.prompt > self.long_above
        rates = self.long_rates if long and self.long_rates else self.rates
        return rates.dollars(tokens) * (self.batch_factor if batch else 1.0)


UNPRICED = ModelPrice(Rates(0, 0, 0, 0, 0), UNPRICED_CACHE_MINIMUM, 1.0)


def read_model_prices(path: Path = PRICES) -> dict[str, ModelPrice]:
    """Return each model's price. Raises RehearsalError where the file is not as the package has it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: _model_price(entry, content) for name, entry in content["models"].items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RehearsalError(f"{path} is no price list ({type(exc).__name__}: {exc}). Restore the package's.") from exc


def _model_price(entry: dict[str, Any], content: dict[str, Any]) -> ModelPrice:
    long = entry.get("long_prompt")
    return ModelPrice(
        _rates(entry, content["cache"]),
        int(entry.get("cache_minimum", UNPRICED_CACHE_MINIMUM)),
        float(content["batch_factor"]),
        int(long["above"]) if long else None,
        _rates(long, content["cache"]) if long else None,
    )


def _rates(entry: dict[str, Any], cache: dict[str, Any]) -> Rates:
    price = float(entry["input"])
    return Rates(
        price,
        float(entry["output"]),
        price * float(cache["write_5m"]),
        price * float(cache["write_1h"]),
        float(entry.get("cache_read", price * float(cache["read"]))),
    )
