"""What the Hub answers, told for people: what it means, and what to do. No address and no token is repeated."""

import contextlib
from collections.abc import Iterator
from typing import Any

import orjson

from tinyemo_data.errors import HubError
from tinyemo_data.synthesis.redaction import redacted

SAID = 300  # characters of the Hub's own words that are repeated
AGAIN = "Run it again later: what was uploaded is not sent twice, and nothing is half-published."
MEANING = {
    400: "it takes something for malformed. Most likely the card's front matter",
    401: "it does not know this token. Set HF_TOKEN to a valid token with write access",
    403: "this token may not do that. Give it write access, and its owner a writing role in the namespace "
    "(hub.namespace), or publish to a namespace of your own",
    404: "it has no such repository or revision, or this token may not see it. Check hub.namespace and HF_TOKEN",
    409: "something else is being done to the same repository, or its name is taken. Look at it on the Hub, then run "
    "it again",
    412: "somebody committed to the repository at the same moment. Look at what was changed, then run it again",
    413: "what was sent is too large for it",
    429: f"it was asked too often. {AGAIN}",
    507: "the namespace has no space left. Free some, or ask for more, then run it again",
}
SERVER = f"it has trouble of its own. {AGAIN}"


@contextlib.contextmanager
def told_for_people(repository: str, doing: str) -> Iterator[None]:
    """Turn what the Hub's client raises inside the block into a HubError that says what to do."""
    import httpx2

    try:
        yield
    except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as exc:
        raise HubError(_sentence(exc, repository, doing)) from None


def _sentence(exc: BaseException, repository: str, doing: str) -> str:
    status, said = _answer(exc)
    innermost = list(_chain(exc))[-1]
    if status is None and getattr(innermost, "filename", None):
        return f"{innermost} (while asked to {doing} {repository}). {AGAIN}"
    if status is None:
        what = type(innermost).__name__
        return f"The Hub can't be reached to {doing} {repository} ({what}). Check the network and HF_ENDPOINT. {AGAIN}"
    meaning = MEANING.get(status) or (SERVER if status >= 500 else "it refused")
    words = f" Its own words: {said}" if said else ""
    return f"The Hub answered HTTP {status} when asked to {doing} {repository}: {meaning.rstrip('.')}.{words}"


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, the outermost first."""
    seen: BaseException | None = exc
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _answer(exc: BaseException) -> tuple[int | None, str]:
    """Return the HTTP status, if there was one, and what the Hub said in words."""
    for one in _chain(exc):
        response = getattr(one, "response", None)
        status = getattr(response, "status_code", None)
        if status is not None:
            return int(status), redacted(" ".join(_words(response).split()))[:SAID]
    return None, ""


def _words(response: Any) -> str:
    """Return the Hub's own message. A storage's answer is passed over: it can hold signed addresses."""
    said = response.headers.get("X-Error-Message")
    if said or "json" not in response.headers.get("Content-Type", ""):
        return said or ""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else ""
