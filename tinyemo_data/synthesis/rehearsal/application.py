"""The server as a whole: all routes over one state, listening on one port."""

import gc
from dataclasses import dataclass

from aiohttp import web

from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.batches import BatchRoutes
from tinyemo_data.synthesis.rehearsal.chat import ChatRoutes
from tinyemo_data.synthesis.rehearsal.connection import answer_error
from tinyemo_data.synthesis.rehearsal.control import ControlRoutes
from tinyemo_data.synthesis.rehearsal.messages import MessageRoutes
from tinyemo_data.synthesis.rehearsal.models import ModelRoutes
from tinyemo_data.synthesis.rehearsal.options import Options
from tinyemo_data.synthesis.rehearsal.service import Service

BACKLOG = 4_096  # connections that wait to be accepted: clients open hundreds at once
KEPT_ALIVE = 3_600.0  # seconds: the server never closes an idle connection under a client's hands
RARELY = (50_000, 50, 100)  # allocations between collections: a large batch is a million objects, none of them garbage
STOPPING = 0.2  # seconds that requests under way get


def build_application(service: Service) -> web.Application:
    """Return the application that answers from `service`."""
    application = web.Application(client_max_size=2 * service.options.batch_bytes + service.options.message_bytes)
    batches = BatchRoutes(service)
    for routes in (
        MessageRoutes(service),
        batches,
        ChatRoutes(service),
        ModelRoutes(service),
        ControlRoutes(service, batches.reset),
    ):
        routes.add_to(application.router)

    async def not_found(request: web.Request) -> web.Response:
        error = ApiError("not_found_error", f"Not found: {request.method} {request.path}")
        return answer_error(error, service.next_id("req"))

    application.router.add_route("*", "/{path:.*}", not_found)
    return application


@dataclass(frozen=True)
class Listening:
    """A server that listens in this process."""

    service: Service
    port: int
    runner: web.AppRunner

    async def stop(self) -> None:
        """Close the port and all connections."""
        await self.runner.cleanup()


async def start(options: Options) -> Listening:
    """Listen. Raises RehearsalError where the port is taken."""
    service = Service(options)
    runner = web.AppRunner(
        build_application(service), access_log=None, shutdown_timeout=STOPPING, keepalive_timeout=KEPT_ALIVE
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port, backlog=BACKLOG).start()
    except OSError as exc:
        await runner.cleanup()
        place = f"{options.host}:{options.port}"
        raise RehearsalError(f"{place} can't be listened on ({exc.strerror}): take another port.") from exc
    gc.freeze()  # what was imported stays: no collection need look at it again
    gc.set_threshold(*RARELY)
    return Listening(service, runner.addresses[0][1], runner)
