"""How a batch is worked off: its requests one after the other, spread over the time that the faults give it."""

import asyncio
import time
from typing import Any

from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.batch import Batch
from tinyemo_data.synthesis.rehearsal.message_checks import check_message
from tinyemo_data.synthesis.rehearsal.message_reply import reply_to
from tinyemo_data.synthesis.rehearsal.service import Service, canonical_digest

AT_ONCE = 100  # requests between two moments at which other calls are answered


async def process(service: Service, batch: Batch) -> None:
    """Work `batch` off until it is done, canceled or expired; what is done by then is kept, and was paid."""
    started = time.monotonic()
    total = len(batch.rows)
    done = 0
    rest = "canceled"
    while done < total and not batch.canceled.is_set():
        passed = time.monotonic() - started
        if passed >= batch.faults.batch_expires_after:
            rest = "expired"
            break
        due = _due(total, passed, batch.faults.batch_seconds)
        for at in range(done, min(due, done + AT_ONCE)):
            custom_id, params = batch.rows[at]
            batch.rows[at] = (custom_id, None)  # large ones would else be held twice
            batch.finish_row(custom_id, _result(service, batch, custom_id, params))
        done = max(done, min(due, done + AT_ONCE))
        await _wait(batch, 0.0 if done < due else _seconds_to_next(batch, total, done, passed))
    if batch.canceled.is_set():
        await asyncio.sleep(batch.faults.batch_cancel_seconds)
    for custom_id, _ in batch.rows[done:]:
        batch.finish_row(custom_id, {"type": rest})
    batch.end()


def _due(total: int, passed: float, seconds: float) -> int:
    """Return how many requests should be done when `passed` of `seconds` have passed."""
    return total if passed >= seconds else int(total * passed / seconds)


def _seconds_to_next(batch: Batch, total: int, done: int, passed: float) -> float:
    next_due = (done + 1) / total * batch.faults.batch_seconds
    return max(0.0, min(next_due, batch.faults.batch_expires_after) - passed)


async def _wait(batch: Batch, seconds: float) -> None:
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(batch.canceled.wait(), seconds)
    except TimeoutError:
        return


def _result(service: Service, batch: Batch, custom_id: str, params: Any) -> dict[str, Any]:
    """Answer one request of a batch: its parameters are looked at only now."""
    number = service.count("batch_row")
    if batch.faults.meet("batch_expired", number):
        return {"type": "expired"}
    try:
        if batch.faults.meet("batch_errored", number):
            raise ApiError("api_error", "Internal server error")
        blocks = check_message(params, service.prices, service.options.strict_pictures)
    except ApiError as error:
        return {"type": "errored", "error": error.document(service.next_id("req"))}
    digest, model, now = canonical_digest(params), params["model"], time.monotonic()
    reading = service.cache.look_up(model, blocks, service.prices[model].cache_minimum, now)
    reply = reply_to(params, blocks, digest, number, reading, batch.faults, "batch")
    service.cache.keep(reading, now, now)
    service.bill.pay(custom_id, digest, model, reply.tokens, batch.id)
    return {"type": "succeeded", "message": reply.document}
