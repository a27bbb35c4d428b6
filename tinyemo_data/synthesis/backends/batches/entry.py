"""One request as it stands in a batch's JSON, its picture within."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from tinyemo_data.synthesis.backends.message import message_bytes
from tinyemo_data.synthesis.backends.picture import PictureGoneError, read_picture
from tinyemo_data.synthesis.outgoing import Outgoing

AHEAD = 4  # pictures a thread that are read before they are needed


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it stands in a batch's JSON; None where its picture is gone."""

    one: Outgoing
    body: dict[str, Any]
    content: bytes | None
    flaw: str = ""


def encode_all(outgoing: list[Outgoing], threads: int) -> Iterator[Entry]:
    """Yield requests as a batch takes them, in their order; pictures are read by a few threads."""
    if not any(one.picture for one in outgoing):
        yield from map(encode, outgoing)
        return
    waiting: deque[Future[Entry]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pictures")
    try:
        for one in outgoing:
            waiting.append(pool.submit(encode, one))
            if len(waiting) >= threads * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def encode(one: Outgoing) -> Entry:
    """Return one request as a batch takes it."""
    body: dict[str, Any] = orjson.loads(one.canonical)
    try:
        params = message_bytes(body, _read_picture(one, body))
    except PictureGoneError as exc:
        return Entry(one, body, None, str(exc))
    # A digest needs no escaping.
    return Entry(one, body, b'{"custom_id":"%b","params":%b}' % (one.digest.encode(), params))


def _read_picture(one: Outgoing, body: dict[str, Any]) -> bytes | None:
    wanted = body["picture"]
    if not wanted:
        return None
    if one.picture is None:
        raise PictureGoneError(f"the place of the picture {wanted['sha256'][:12]} is not known")
    return read_picture(one.picture, wanted["sha256"], wanted["side"])
