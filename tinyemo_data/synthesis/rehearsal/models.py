"""`GET /v1/models`, which both services have: who sends an `anthropic-version` gets the vendor's shape."""

from typing import Any

from aiohttp import web

from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.connection import answer_error, answer_json, check_headers
from tinyemo_data.synthesis.rehearsal.message_checks import CONTEXT, MAX_TOKENS
from tinyemo_data.synthesis.rehearsal.service import Service

RELEASED = "1970-01-01T00:00:00Z"  # "May be set to an epoch value if the release date is unknown" (the SDK's ModelInfo)
ANY_CHAT_MODEL = "rehearsal"


class ModelRoutes:
    """Which models there are."""

    def __init__(self, service: Service) -> None:
        """Serve from `service`."""
        self._service = service

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add these routes."""
        router.add_get("/v1/models", self.list_models)
        router.add_get("/v1/models/{id}", self.retrieve)

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        """Return all models, on one page."""
        request_id = self._service.next_id("req")
        if "anthropic-version" not in request.headers:
            names = self._service.options.chat_models or (ANY_CHAT_MODEL,)
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "rehearsal"} for name in names]
            return answer_json({"object": "list", "data": models}, request_id)
        try:
            check_headers(request)
        except ApiError as error:
            return answer_error(error, request_id)
        data = [_describe(name) for name in self._service.prices]
        page = {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return answer_json(page, request_id)

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """Return one model of the Messages API."""
        request_id = self._service.next_id("req")
        name = request.match_info["id"]
        try:
            check_headers(request)
            if name not in self._service.prices:
                raise ApiError("not_found_error", f"model: {name}")
        except ApiError as error:
            return answer_error(error, request_id)
        return answer_json(_describe(name), request_id)


def _describe(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "model",
        "display_name": name,
        "created_at": RELEASED,
        "lifecycle": "active",
        "max_input_tokens": CONTEXT,
        "max_tokens": MAX_TOKENS,
    }
