"""`/v1/messages/batches`: create, retrieve, list, cancel, results, delete. Creation is not idempotent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid
from tinyemo_data.synthesis.rehearsal.batch import Batch
from tinyemo_data.synthesis.rehearsal.batch_processing import process
from tinyemo_data.synthesis.rehearsal.batch_requests import batch_digest, page_of, read_rows
from tinyemo_data.synthesis.rehearsal.connection import (
    answer_error,
    answer_half,
    answer_json,
    check_headers,
    close_without_answer,
    read_body,
)
from tinyemo_data.synthesis.rehearsal.refusals import refuse_by_spending
from tinyemo_data.synthesis.rehearsal.service import Call, Service

PATH = "/v1/messages/batches"
JSONL = "application/x-jsonl"

Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class BatchRoutes:
    """The Message Batches API."""

    def __init__(self, service: Service) -> None:
        """Serve from `service`."""
        self._service = service
        self._batches: dict[str, Batch] = {}  # in order of creation
        self._tasks: set[asyncio.Task[None]] = set()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add these routes."""
        router.add_post(PATH, self.create)
        router.add_get(PATH, self._answered(self._list))
        router.add_get(PATH + "/{id}", self._answered(self._retrieve))
        router.add_delete(PATH + "/{id}", self._answered(self._delete))
        router.add_post(PATH + "/{id}/cancel", self._answered(self._cancel))
        router.add_get(PATH + "/{id}/results", self._answered(self._results))

    def reset(self) -> None:
        """Forget all batches; those under way are given up."""
        for task in self._tasks:
            task.cancel()
        self._batches.clear()

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make a batch, as often as it is asked for."""
        service = self._service
        request_id = service.next_id("req")
        call: Call | None = None
        try:
            body = await read_body(request, service.options.batch_bytes)
            check_headers(request)
            call = service.begin("batches", batch_digest(body), body)
            if service.meets(call, "batch_dropped_creation"):
                call.outcome = "dropped"
                return close_without_answer(request)
            refuse_by_spending(service, call)
            batch = self._make(read_rows(body, service.options.batch_requests))
        except ApiError as error:
            if call is not None:
                call.outcome = error.status
            return answer_error(error, request_id)
        if service.meets(call, "batch_lost_creation"):
            call.outcome = "lost"
            return close_without_answer(request)
        call.outcome = 200
        return answer_json(batch.document(_origin(request)), request_id)

    def _make(self, rows: list[tuple[str, Any]]) -> Batch:
        batch = Batch(self._service.next_id("msgbatch"), rows, self._service.faults)
        self._batches[batch.id] = batch
        self._service.batches_created += 1
        task = asyncio.get_running_loop().create_task(process(self._service, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return batch

    def _answered(self, handle: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that looks at headers and faults first, and words errors."""
        service = self._service

        async def answered(request: web.Request) -> web.StreamResponse:
            request_id = service.next_id("req")
            try:
                check_headers(request)
                if service.faults.meet("batch_call_failed", service.count("batch_call")):
                    raise ApiError("api_error", "Internal server error")
                return await handle(request, request_id)
            except ApiError as error:
                return answer_error(error, request_id)

        return answered

    async def _retrieve(self, request: web.Request, request_id: str) -> web.StreamResponse:
        return answer_json(self._find(request).document(_origin(request)), request_id)

    async def _cancel(self, request: web.Request, request_id: str) -> web.StreamResponse:
        batch = self._find(request)
        batch.cancel()
        return answer_json(batch.document(_origin(request)), request_id)

    async def _delete(self, request: web.Request, request_id: str) -> web.StreamResponse:
        batch = self._find(request)
        if batch.state != "ended":
            raise invalid("Message Batches can only be deleted once they've finished processing. Cancel it first.")
        del self._batches[batch.id]
        return answer_json({"id": batch.id, "type": "message_batch_deleted"}, request_id)

    async def _list(self, request: web.Request, request_id: str) -> web.StreamResponse:
        page, has_more = page_of(list(reversed(self._batches)), dict(request.query))
        origin = _origin(request)
        document = {
            "data": [self._batches[name].document(origin) for name in page],
            "has_more": has_more,
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }
        return answer_json(document, request_id)

    async def _results(self, request: web.Request, request_id: str) -> web.StreamResponse:
        service, batch = self._service, self._find(request)
        if batch.state != "ended":
            raise invalid(f"Batch {batch.id} has not ended: its results are not available yet.")
        content = b"".join(batch.lines)
        if service.faults.meet("batch_results_cut", service.count("batch_results")):
            return await answer_half(request, content, JSONL, request_id)
        return web.Response(body=content, content_type=JSONL, headers={"request-id": request_id})

    def _find(self, request: web.Request) -> Batch:
        name = request.match_info["id"]
        if name not in self._batches:
            raise ApiError("not_found_error", f"Message Batch with ID `{name}` not found")
        return self._batches[name]


def _origin(request: web.Request) -> str:
    return str(request.url.origin())
