"""One question to a language model, and its identity.

A request's canonical form is JSON with sorted keys and no blanks; the SHA-256 of it, as 43 characters of URL-safe
base64, is its name everywhere: in the ledger, as the `custom_id` of a message batch, in a record's provenance.
Whatever could change the answer is part of it; what could not (where the picture lies, which backend sends it, online
or in a batch) is not, so that a moved folder or another way of sending never buys an answer twice.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

VERSION = 1


@dataclass(frozen=True, slots=True)
class Request:
    """A question in canonical form."""

    digest: str  # 43 characters of [A-Za-z0-9_-]
    canonical: bytes  # JSON: model, system, text, picture, schema, max_tokens, seed, known, version

    @property
    def body(self) -> dict[str, Any]:
        """Return the canonical form as a dict."""
        body: dict[str, Any] = orjson.loads(self.canonical)
        return body


def make_request(
    *,
    model: str,
    system: str,
    text: str,
    schema: Mapping[str, Any],
    max_tokens: int,
    seed: int,
    picture: Mapping[str, Any] | None,
    known: Mapping[str, Any] | None = None,
) -> Request:
    """Return the request of these parts.

    `picture` is `{"sha256": hex of the file's bytes, "side": longest side in pixels that is sent}`, or None. `seed`
    tells apart questions that are otherwise equal. `known` is what a backend that reads no prose (`rules`) answers
    from; None for language models, which get it as text.
    """
    body = {
        "version": VERSION,
        "model": model,
        "system": system,
        "text": text,
        "schema": schema,
        "max_tokens": max_tokens,
        "seed": seed,
        "picture": picture,
        "known": known,
    }
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return Request(digest_of(canonical), canonical)


def digest_of(canonical: bytes) -> str:
    """Return the name of a canonical request."""
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")
