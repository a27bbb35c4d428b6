"""What the engine is given to send: a request, and where its picture lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request with its picture's place, which is no part of its identity."""

    digest: str
    canonical: bytes
    picture: Path | None  # None where the request sends none

    @property
    def body(self) -> dict[str, Any]:
        """Return the canonical form as a dict."""
        body: dict[str, Any] = orjson.loads(self.canonical)
        return body
