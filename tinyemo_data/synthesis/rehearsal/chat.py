"""`POST /v1/chat/completions`, as vLLM answers it. It costs nothing, but is counted on the bill."""

from typing import Any

from aiohttp import web

from tinyemo_data.synthesis.rehearsal.answer import write_answer
from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.chat_checks import check_chat, limit_of, schema_wanted
from tinyemo_data.synthesis.rehearsal.online import serve
from tinyemo_data.synthesis.rehearsal.prices import Tokens
from tinyemo_data.synthesis.rehearsal.refusals import refuse_by_rate
from tinyemo_data.synthesis.rehearsal.service import Call, Service

FINISH = {"end_turn": "stop", "max_tokens": "length", "refusal": "content_filter"}


class ChatRoutes:
    """The chat-completions API."""

    def __init__(self, service: Service) -> None:
        """Serve from `service`."""
        self._service = service

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add these routes."""
        router.add_post("/v1/chat/completions", self.create)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answer one chat completion."""
        return await serve(self._service, request, "chat", self._check_headers, self._respond)

    def _check_headers(self, request: web.Request) -> None:
        if self._service.options.require_bearer and not request.headers.get("authorization", "").startswith("Bearer "):
            raise ApiError("authentication_error", "Unauthorized")

    def _respond(self, body: Any, call: Call) -> tuple[dict[str, Any], dict[str, str]]:
        service = self._service
        prompt = check_chat(body, service.options.chat_models, service.options.strict_pictures)
        refuse_by_rate(service, call, prompt)
        schema, limit = schema_wanted(body), limit_of(body)
        answer = write_answer(schema, call.digest, call.number, limit, 0, service.faults)
        service.limiter.spend_output(answer.output_tokens)
        service.bill.pay(call.digest, call.digest, body["model"], Tokens(prompt, answer.output_tokens))
        return _document(body["model"], call, answer.text, FINISH[answer.stop], prompt, answer.output_tokens), {}


def _document(model: str, call: Call, text: str, finish: str, prompt: int, completion: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None, "tool_calls": []}
    return {
        "id": f"chatcmpl-{call.digest[:32]}",
        "object": "chat.completion",
        "created": int(call.at),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish, "stop_reason": None}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": None,
        },
    }
