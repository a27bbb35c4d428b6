"""What the engine asks of a backend that answers while one waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from tinyemo_data.synthesis.reply import Reply


@dataclass(frozen=True, slots=True)
class Arrived:
    """A reply, and the headers that tell of rate limits."""

    reply: Reply
    headers: Mapping[str, str]


class OnlineBackend(Protocol):
    """Sends one request at a time, many at once; raises the kinds of `failures`, never its client's exceptions."""

    @property
    def name(self) -> str:
        """What the ledger and records call it."""

    @property
    def sends_pictures(self) -> bool:
        """Tell whether it looks at pictures at all."""

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        """Send a canonical request's body with its picture (JPEG bytes) and wait for the reply."""

    async def __aenter__(self) -> Self:
        """Open connections."""

    async def __aexit__(self, *exc: object) -> None:
        """Close connections."""
