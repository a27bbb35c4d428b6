"""The Message Batches API through the vendor's client: raw bytes in both directions, failures in our own words.

Source: Claude API documentation, version 2026-10-21, "Batch processing". Creating is not idempotent, so nothing here
posts twice, and a creation without a clear reply is told apart from one that was surely refused.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2
import orjson
import tenacity

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.anthropic_client import TIMEOUT, translated
from tinyemo_data.synthesis.backends.batches.seen import Marker, Seen, is_older, read_seen
from tinyemo_data.synthesis.failures import RateLimitedError, SendingError, StoppedError, TransientError, policy

PATH = "/v1/messages/batches"
SHORT: Any = {"timeout": 60.0}  # seconds, for calls that a sensor may make
PAGE = 1_000  # batches a page of the list, the most there can be
# What the service answers when it is through with a request. A timeout or a gateway's words are no such thing.
FINAL_ERRORS = {"api_error", "overloaded_error"}
NOT_READ = (408, 409)  # the service did not take the body
MALFORMED = (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError)


class DoubtfulError(SendingError):
    """Nobody knows whether the batch was made."""

    def __init__(self, what: str, final: bool) -> None:
        """Say what happened; `final` where the service itself answered, so that nothing can come of it later."""
        super().__init__(what)
        self.final = final


class BatchGoneError(SynthesisError):
    """The service knows no such batch, or keeps its results no longer."""


def open_batches_client() -> anthropic.Anthropic:
    """Return a client that tries nothing again by itself. Raises StoppedError without a key."""
    client = anthropic.Anthropic(max_retries=0, timeout=TIMEOUT)
    if not (client.api_key or client.auth_token):
        raise StoppedError(
            "There is no ANTHROPIC_API_KEY in the environment: set it (or in .env). Batches that are under way wait "
            "for it, and their results are kept for 29 days."
        )
    return client


def patiently() -> tenacity.Retrying:
    """Return the policy of `failures` for calls that block: transient failures are tried again."""
    ours = policy()
    return tenacity.Retrying(retry=ours.retry, wait=ours.wait, stop=ours.stop, reraise=True)


class BatchService:
    """What can be asked of the API; each call is one attempt, and raises the kinds of `failures`."""

    def __init__(self, client: anthropic.Anthropic) -> None:
        """Ask through `client`; what it would try again by itself, it does not."""
        self._client = client.with_options(max_retries=0)

    def create(self, content: Iterator[bytes], size: int) -> Seen:
        """Post a batch's whole JSON of `size` bytes, once.

        Raises DoubtfulError where it may or may not have been made; every other failure says that it was not:
        TransientError, OwnFaultError, StoppedError.
        """
        # A length, so that a body that breaks off can't be taken for a whole one.
        headers = {"Content-Type": "application/json", "Content-Length": str(size)}
        options: Any = {"headers": headers, "follow_redirects": False}
        try:
            with translated():
                response = self._client.post(PATH, content=content, cast_to=httpx2.Response, options=options)
        except TransientError as exc:
            raise _outcome(exc) from exc
        try:
            return read_seen(orjson.loads(response.content))
        except MALFORMED as exc:
            raise DoubtfulError(f"the reply is no batch ({type(exc).__name__}: {exc})", final=True) from exc

    def look(self, batch_id: str) -> Seen:
        """Return a batch as it is now. Raises BatchGoneError where there is none of that id."""
        with translated(), _gone(batch_id):
            return _read_batch(self._client.get(f"{PATH}/{batch_id}", cast_to=httpx2.Response, options=SHORT))

    def cancel(self, batch_id: str) -> Seen:
        """Ask for a batch's end; what is done by then is kept, and paid. Raises BatchGoneError."""
        with translated(), _gone(batch_id):
            return _read_batch(self._client.post(f"{PATH}/{batch_id}/cancel", cast_to=httpx2.Response, options=SHORT))

    def newest(self) -> Marker | None:
        """Return the workspace's newest batch, None where there is none."""
        listed, _ = self._page({"limit": 1})
        return listed[0].marker if listed else None

    def made_since(self, marker: Marker | None) -> list[Seen]:
        """Return the batches that are listed above `marker`, newest first; all of them where it is None.

        A marker that was deleted since is stood for by its time, which is the service's own.
        """
        found: list[Seen] = []
        query: dict[str, Any] | None = {"limit": PAGE}
        while query is not None:
            page, query = self._page(query)
            for seen in page:
                if marker is not None and (seen.batch_id == marker.batch_id or is_older(seen, marker)):
                    return found
                found.append(seen)
        return found

    def results(self, batch_id: str) -> Iterator[bytes]:
        """Yield the rows of an ended batch as raw JSON, in any order.

        Raises BatchGoneError where they are kept no longer, TransientError where they break off.
        """
        streamed: bool = True  # the client's own types know no raw stream
        with translated(), _gone(batch_id):
            response = self._client.get(f"{PATH}/{batch_id}/results", cast_to=httpx2.Response, stream=streamed)
        try:
            yield from split_lines(response.iter_bytes())
        except httpx2.HTTPError as exc:
            raise TransientError(f"the results of {batch_id} broke off ({type(exc).__name__})") from exc
        finally:
            response.close()

    def _page(self, query: dict[str, Any]) -> tuple[list[Seen], dict[str, Any] | None]:
        """Return one page of the list, and what to ask for the next."""
        options: Any = {**SHORT, "params": query}
        with translated():
            response = self._client.get(PATH, cast_to=httpx2.Response, options=options)
        try:
            page = orjson.loads(response.content)
            more = page.get("has_more") and page.get("last_id")
            return [read_seen(one) for one in page["data"]], {**query, "after_id": more} if more else None
        except MALFORMED as exc:
            raise TransientError(f"the reply is no list of batches ({type(exc).__name__}: {exc})") from exc


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream, empty ones left out. Raises TransientError where it ends within a row."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if line:
                yield line
    if rest.strip():
        try:
            orjson.loads(rest)
        except orjson.JSONDecodeError as exc:
            raise TransientError("the results broke off within a row") from exc
        yield rest


def _read_batch(response: httpx2.Response) -> Seen:
    try:
        return read_seen(orjson.loads(response.content))
    except MALFORMED as exc:
        raise TransientError(f"the reply is no batch ({type(exc).__name__}: {exc})") from exc


@contextmanager
def _gone(batch_id: str) -> Iterator[None]:
    try:
        yield
    except anthropic.NotFoundError as exc:
        raise BatchGoneError(f"the service knows no batch {batch_id}, or keeps its results no longer") from exc


def _outcome(failure: TransientError) -> SendingError:
    """Tell a creation that was surely refused (the failure itself) from one in doubt."""
    cause = failure.__cause__
    if isinstance(failure, RateLimitedError) or _never_left(cause):
        return failure
    if isinstance(cause, anthropic.APIStatusError):
        if cause.status_code in NOT_READ:
            return failure
        return DoubtfulError(str(failure), final=cause.type in FINAL_ERRORS)
    return DoubtfulError(str(failure), final=False)


def _never_left(cause: BaseException | None) -> bool:
    """Tell whether no connection was made at all."""
    inner = cause.__cause__ if isinstance(cause, anthropic.APIConnectionError) else None
    return isinstance(inner, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
