"""The Anthropic client as this project uses it, and its exceptions in our own words.

The key comes from the environment alone and is in no message. The client tries nothing again by itself: it can't know
the budget.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import anthropic
import httpx2
from anthropic.types.shared import (
    ContractSpendLimitReachedError,
    EnforcedSpendLimitReachedError,
    LinkedOrganizationSpendLimitReachedError,
)

from tinyemo_data.synthesis.failures import OwnFaultError, RateLimitedError, StoppedError, TransientError
from tinyemo_data.synthesis.redaction import key_of, redacted

TIMEOUT = httpx2.Timeout(600.0, connect=30.0)
SPEND_LIMITS = (
    ContractSpendLimitReachedError,
    EnforcedSpendLimitReachedError,
    LinkedOrganizationSpendLimitReachedError,
)
# Limits that people set themselves, and credit that has run out, come as a plain 400 with these words.
UNPAID = ("specified api usage limits", "credit balance is too low")
NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
)
SHOWN = 300  # characters of a service's own words


def open_client(connections: int) -> anthropic.AsyncAnthropic:
    """Return a client over aiohttp with at most `connections` connections. Raises StoppedError without a key."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    try:
        client = anthropic.AsyncAnthropic(
            api_key=api_key(),
            max_retries=0,
            timeout=TIMEOUT,
            http_client=anthropic.DefaultAioHttpClient(limits=limits, timeout=TIMEOUT),
        )
        has_key = bool(client.api_key or client.auth_token)
    except anthropic.AnthropicError as exc:
        raise StoppedError(_no_key()) from exc
    if not has_key:
        raise StoppedError(_no_key())
    return client


def api_key() -> str | None:
    """Return ANTHROPIC_API_KEY without blanks around it. Raises StoppedError where there are some inside."""
    key = key_of("ANTHROPIC_API_KEY")
    if key is not None and any(letter.isspace() or not letter.isprintable() for letter in key):
        raise StoppedError("ANTHROPIC_API_KEY holds a blank or a control character: set it again, in one line.")
    return key


def _no_key() -> str:
    return (
        "There is no ANTHROPIC_API_KEY in the environment: set it (or in .env), or use the backend 'rules' "
        "(TINYEMO_SYNTHESIS__BACKEND=rules), which needs none."
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's exceptions inside the block into the kinds of `failures`."""
    try:
        yield
    except SPEND_LIMITS as exc:
        raise StoppedError(
            f"The API's own spending limit is reached ({_words(exc)}). Everything that was answered is kept: raise the "
            "limit in the console, or wait until it is renewed, and run the same again."
        ) from exc
    except anthropic.RateLimitError as exc:
        raise RateLimitedError(f"429: {_words(exc)}", retry_after(exc.response.headers)) from exc
    except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as exc:
        raise StoppedError(
            f"The API refuses the key ({exc.status_code}: {_words(exc)}). Mend ANTHROPIC_API_KEY and run the same "
            "again; everything that was answered is kept."
        ) from exc
    except anthropic.APIStatusError as exc:
        raise _of_status(exc) from exc
    except anthropic.APITimeoutError as exc:
        raise TransientError("no reply in time", maybe_billed=not never_sent(exc)) from exc
    except anthropic.APIConnectionError as exc:
        if isinstance(exc.__cause__, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.LocalProtocolError):
            what = redacted(str(exc.__cause__))[:SHOWN]
            raise StoppedError(f"The API can't be sent to ({what}): mend ANTHROPIC_BASE_URL or the key.") from exc
        what = f"connection lost ({exc.__cause__ or exc})"
        raise TransientError(redacted(what)[:SHOWN], maybe_billed=not never_sent(exc)) from exc


def never_sent(exc: BaseException) -> bool:
    """Tell whether no connection was made at all: the transport calls a lost one by the same name."""
    cause: BaseException | None = exc
    while cause is not None and not isinstance(cause, NEVER_SENT):
        cause = cause.__cause__
    return cause is not None


def _of_status(exc: anthropic.APIStatusError) -> Exception:
    status, words = exc.status_code, _words(exc)
    if status == 402 or (status == 400 and any(known in words.lower() for known in UNPAID)):
        return StoppedError(
            f"The API takes no more requests for money's sake ({status}: {words}). Everything that was answered is "
            "kept: mend it in the console and run the same again."
        )
    if status in (408, 409) or status >= 500:
        # An error that is not the API's own comes from what stands between: the API may have answered.
        is_own = isinstance(exc.body, dict) and "error" in exc.body
        return TransientError(
            f"{status}: {_words(exc)}", retry_after(exc.response.headers), maybe_billed=status >= 500 and not is_own
        )
    if status == 404:
        return StoppedError(
            f"The API knows no such model or path (404: {_words(exc)}). Mend synthesis.model or ANTHROPIC_BASE_URL."
        )
    return OwnFaultError(f"{status}: {_words(exc)}")


def _words(exc: anthropic.APIStatusError) -> str:
    """Return the service's own message, without what was sent to it."""
    body: Any = exc.body
    error = body.get("error") if isinstance(body, dict) else None
    told = error.get("message") if isinstance(error, dict) else None
    return redacted(str(told or type(exc).__name__))[:SHOWN]


def retry_after(headers: Any) -> float | None:
    """Return the seconds after which the service wants to hear from us again; None where it does not say."""
    try:
        seconds = float(headers.get("retry-after"))
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < 86_400 else None
