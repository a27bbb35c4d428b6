"""`/rehearsal/…`: the bill, the journal, and the faults as they are; to look at and to change from outside."""

from collections.abc import Callable

import orjson
from aiohttp import web
from pydantic import ValidationError

from tinyemo_data.synthesis.rehearsal.connection import JSON
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits
from tinyemo_data.synthesis.rehearsal.service import Service


class ControlRoutes:
    """What people and tests ask of the server, rather than clients."""

    def __init__(self, service: Service, reset_batches: Callable[[], None]) -> None:
        """Serve from `service`; `reset_batches` forgets the batches."""
        self._service = service
        self._reset_batches = reset_batches

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add these routes."""
        router.add_get("/rehearsal/bill", self.bill)
        router.add_get("/rehearsal/paid", self.paid)
        router.add_get("/rehearsal/requests", self.requests)
        router.add_get("/rehearsal/faults", self.faults)
        router.add_put("/rehearsal/faults", self.put_faults)
        router.add_get("/rehearsal/limits", self.limits)
        router.add_put("/rehearsal/limits", self.put_limits)
        router.add_post("/rehearsal/reset", self.reset)

    async def bill(self, _request: web.Request) -> web.Response:
        """Return the bill so far (`bill.BillReport`)."""
        return web.Response(body=self._service.report().model_dump_json().encode(), content_type=JSON)

    async def paid(self, _request: web.Request) -> web.Response:
        """Return how many times each request was paid, by digest or custom_id."""
        return web.Response(body=orjson.dumps(self._service.bill.times), content_type=JSON)

    async def requests(self, _request: web.Request) -> web.Response:
        """Return the journal (`service.Call`)."""
        return web.Response(body=orjson.dumps(self._service.journal), content_type=JSON)

    async def faults(self, _request: web.Request) -> web.Response:
        """Return the faults."""
        return web.Response(body=self._service.faults.model_dump_json().encode(), content_type=JSON)

    async def limits(self, _request: web.Request) -> web.Response:
        """Return the rate limits."""
        return web.Response(body=self._service.limiter.limits.model_dump_json().encode(), content_type=JSON)

    async def put_faults(self, request: web.Request) -> web.Response:
        """Change the faults; those that are not named are as at first."""
        try:
            faults = Faults.model_validate_json(await request.read())
        except ValidationError as exc:
            return web.Response(status=400, text=str(exc))
        self._service.set_faults(faults)
        return await self.faults(request)

    async def put_limits(self, request: web.Request) -> web.Response:
        """Change the rate limits; those that are not named are as at first."""
        try:
            limits = Limits.model_validate_json(await request.read())
        except ValidationError as exc:
            return web.Response(status=400, text=str(exc))
        self._service.set_limits(limits)
        return await self.limits(request)

    async def reset(self, request: web.Request) -> web.Response:
        """Begin anew, as the server was started."""
        self._reset_batches()
        self._service.reset()
        return await self.bill(request)
