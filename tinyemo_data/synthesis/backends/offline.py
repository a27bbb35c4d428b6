"""`rules`: the program's own sentences, behind the face of any other backend. Free, offline, deterministic."""

from typing import Any, Self

from tinyemo_data.errors import RulesError
from tinyemo_data.synthesis.backends.online import Arrived
from tinyemo_data.synthesis.backends.rules import answer
from tinyemo_data.synthesis.failures import OwnFaultError
from tinyemo_data.synthesis.reply import Reply, Usage

NAME = "rules"


class Rules:
    """Answers from what is known of a picture; it never looks at the picture itself."""

    name = NAME
    sends_pictures = False

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        """Answer at once. Raises OwnFaultError where the question asks for what is not known."""
        del picture
        try:
            raw = answer(body)
        except RulesError as exc:
            raise OwnFaultError(str(exc)) from exc
        return Arrived(Reply(digest, raw, Usage(), NAME, body["model"]), {})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return
