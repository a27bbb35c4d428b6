"""What messages and chat completions have in common: faults, journal, delay, and replies that get lost."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.connection import (
    JSON,
    answer_error,
    answer_half,
    answer_json,
    close_without_answer,
    read_body,
)
from tinyemo_data.synthesis.rehearsal.refusals import refuse_by_plan
from tinyemo_data.synthesis.rehearsal.service import Call, Service, canonical_digest

# Checks a body, charges for the reply, and returns it with the headers beside it. Raises ApiError.
Respond = Callable[[Any, Call], tuple[dict[str, Any], dict[str, str]]]


async def serve(
    service: Service, request: web.Request, route: str, check: Callable[[web.Request], None], respond: Respond
) -> web.StreamResponse:
    """Answer one request, as the faults allow. What is charged is charged before the reply is sent."""
    request_id = service.next_id("req")
    chat = route == "chat"
    call: Call | None = None
    service.in_flight += 1
    service.peak_in_flight = max(service.peak_in_flight, service.in_flight)
    try:
        body = await read_body(request, service.options.message_bytes)
        check(request)
        call = service.begin(route, canonical_digest(body), body)
        if service.meets(call, "dropped"):
            call.outcome = "dropped"
            return close_without_answer(request)
        refuse_by_plan(service, call)
        document, headers = respond(body, call)
        if seconds := service.faults.delay(call.number):
            await asyncio.sleep(seconds)
        if service.meets(call, "lost_reply"):
            call.outcome = "lost"
            return close_without_answer(request)
        if service.meets(call, "cut_reply"):
            call.outcome = "lost"
            return await answer_half(request, orjson.dumps(document), JSON, request_id)
        call.outcome = 200
        return answer_json(document, request_id, headers)
    except ApiError as error:
        if call is not None:
            call.outcome = error.status
        return answer_error(error, request_id, chat)
    finally:
        service.in_flight -= 1
