"""On which requests a fault falls: a share of them, or an explicit plan."""

import hashlib
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PLAN = re.compile(r"(nth|every|from):(\d+(?:,\d+)*)")
GRAMMAR = "a share from 0 to 1, nth:3,7 or every:5 or from:10"


class Plan(BaseModel):
    """Requests are counted from 1; those that any of the four names are met."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(0.0, ge=0, le=1, description="of all, drawn with the faults' seed")
    nth: tuple[int, ...] = Field((), description="exactly these")
    every: int = Field(0, ge=0, description="each k-th; 0: none")
    since: int = Field(0, ge=0, description="this one and all after it; 0: none")

    def __bool__(self) -> bool:
        return bool(self.share or self.nth or self.every or self.since)

    def meets(self, number: int, drawn: float) -> bool:
        """Tell whether the fault falls on request `number`, for which `drawn` (0 to 1) was drawn."""
        return (
            drawn < self.share
            or number in self.nth
            or (self.every > 0 and number % self.every == 0)
            or 0 < self.since <= number
        )


def read_plan(value: Any) -> Any:
    """Turn a number or a text into a plan's fields: `0.1`, `nth:3,7`, `every:5`, `from:10`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"share": value}
    if not isinstance(value, str):
        return value
    match = PLAN.fullmatch(value.strip())
    if match is None:
        try:
            return {"share": float(value)}
        except ValueError:
            raise ValueError(f"expected {GRAMMAR}; found {value!r}") from None
    kind, numbers = match[1], tuple(int(number) for number in match[2].split(","))
    if kind == "nth":
        return {"nth": numbers}
    if len(numbers) > 1:
        raise ValueError(f"{kind} takes one number; found {value!r}")
    return {"every" if kind == "every" else "since": numbers[0]}


# What fields of faults are: a plan, or what `read_plan` makes one of.
When = Annotated[Plan, BeforeValidator(read_plan)]


def draw(seed: int, name: str, key: int | str) -> float:
    """Return a number from 0 to 1 (exclusive) that depends on nothing but its arguments."""
    digest = hashlib.blake2b(f"{seed}:{name}:{key}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 56)
