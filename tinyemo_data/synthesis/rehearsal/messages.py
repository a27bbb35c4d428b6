"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

import time
from typing import Any

from aiohttp import web

from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.connection import answer_error, answer_json, check_headers, read_body
from tinyemo_data.synthesis.rehearsal.message_checks import check_counting, check_message
from tinyemo_data.synthesis.rehearsal.message_reply import reply_to
from tinyemo_data.synthesis.rehearsal.online import serve
from tinyemo_data.synthesis.rehearsal.refusals import refuse_by_rate
from tinyemo_data.synthesis.rehearsal.service import Call, Service


class MessageRoutes:
    """The Messages API."""

    def __init__(self, service: Service) -> None:
        """Serve from `service`."""
        self._service = service

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add these routes."""
        router.add_post("/v1/messages", self.create)
        router.add_post("/v1/messages/count_tokens", self.count_tokens)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answer one message."""
        return await serve(self._service, request, "messages", check_headers, self._respond)

    async def count_tokens(self, request: web.Request) -> web.StreamResponse:
        """Count a prompt's tokens; costs nothing."""
        service = self._service
        request_id = service.next_id("req")
        try:
            body = await read_body(request, service.options.message_bytes)
            check_headers(request)
            blocks = check_counting(body, service.prices, service.options.strict_pictures)
        except ApiError as error:
            return answer_error(error, request_id)
        return answer_json({"input_tokens": sum(block.tokens for block in blocks)}, request_id)

    def _respond(self, body: Any, call: Call) -> tuple[dict[str, Any], dict[str, str]]:
        service = self._service
        blocks = check_message(body, service.prices, service.options.strict_pictures)
        model, now = body["model"], time.monotonic()
        reading = service.cache.look_up(model, blocks, service.prices[model].cache_minimum, now)
        refuse_by_rate(service, call, sum(block.tokens for block in blocks) - reading.read)
        reply = reply_to(body, blocks, call.digest, call.number, reading, service.faults, "standard")
        service.cache.keep(reading, now, now + service.faults.delay(call.number))
        service.limiter.spend_output(reply.tokens.output)
        service.bill.pay(call.digest, call.digest, model, reply.tokens)
        return reply.document, service.limiter.headers()
