"""How long a reply takes: always the same, or drawn from a distribution."""

import math
import re
from statistics import NormalDist
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
UNIFORM = re.compile(rf"{NUMBER}-{NUMBER}")
LOGNORMAL = re.compile(rf"lognormal:{NUMBER},{NUMBER}")
GRAMMAR = "seconds (0.2), a range of them (0.1-0.4), or lognormal:<median>,<sigma>"
STANDARD = NormalDist()


class Spread(BaseModel):
    """Seconds: `fixed` is always `a`; `uniform` from `a` to `b`; `lognormal` with median `a` and sigma `b`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["fixed", "uniform", "lognormal"] = "fixed"
    a: float = Field(0.0, ge=0)
    b: float = Field(0.0, ge=0)

    def seconds(self, drawn: float) -> float:
        """Return the quantile `drawn` (0 to 1, exclusive) of the distribution."""
        if self.kind == "fixed" or self.a == 0 == self.b:
            return self.a
        if self.kind == "uniform":
            return self.a + (self.b - self.a) * drawn
        return self.a * math.exp(self.b * STANDARD.inv_cdf(max(drawn, 1e-9)))


def read_latency(value: Any) -> Any:
    """Turn a number or a text into a distribution's fields: `0.2`, `0.1-0.4`, `lognormal:0.2,0.5`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"a": value}
    if not isinstance(value, str):
        return value
    text = value.strip()
    if match := UNIFORM.fullmatch(text):
        return {"kind": "uniform", "a": match[1], "b": match[2]}
    if match := LOGNORMAL.fullmatch(text):
        return {"kind": "lognormal", "a": match[1], "b": match[2]}
    if re.fullmatch(NUMBER, text):
        return {"a": text}
    raise ValueError(f"expected {GRAMMAR}; found {value!r}")


# What a latency is: a distribution, or what `read_latency` makes one of.
Latency = Annotated[Spread, BeforeValidator(read_latency)]
