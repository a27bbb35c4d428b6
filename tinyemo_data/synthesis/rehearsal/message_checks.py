"""What the Messages API checks before it answers, in its own words where they are known.

Sources: https://platform.claude.com/docs/en/api/errors, the migration guides of Claude Haiku 5.5 and Claude Sonnet
5.5 (sampling parameters, prefill, thinking), and the parameters of the installed SDK.
"""

from collections.abc import Collection
from typing import Any

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid
from tinyemo_data.synthesis.rehearsal.prompt_blocks import Block, read_prompt, refuse_too_long, text_tokens
from tinyemo_data.synthesis.rehearsal.schema_rules import schema_flaw
from tinyemo_data.synthesis.rehearsal.thinking import check_thinking

COUNTED = {"cache_control", "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"}
KNOWN = COUNTED | {
    *("container", "diagnostics", "inference_geo", "max_tokens", "metadata", "service_tier", "speed", "stop_sequences"),
    *("stream", "temperature", "top_k", "top_p", "user_profile_id"),
}
NOT_REHEARSED = ("tools", "tool_choice", "container", "stop_sequences")
MAX_TOKENS = 128_000  # of the Messages API, for all current models
CONTEXT = 1_000_000  # tokens
# The one value that is still taken, each without the other.
STILL_TAKEN = {"temperature": (1,), "top_p": (0.99,), "top_k": ()}


def check_message(body: Any, models: Collection[str], strict: bool) -> list[Block]:
    """Return the prompt's blocks, tokens of the schema included. Raises ApiError for what the service refuses."""
    _check_shape(body, KNOWN, ("model", "max_tokens", "messages"), models)
    limit = body["max_tokens"]
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise invalid("max_tokens: Input should be greater than or equal to 0")
    if limit > MAX_TOKENS:
        most = f"which is the maximum allowed number of output tokens for {body['model']}"
        raise invalid(f"max_tokens: {limit} > {MAX_TOKENS}, {most}")
    if body.get("stream"):
        raise invalid("stream: the rehearsal server does not stream")
    _check_sampling(body)
    return _check_rest(body, strict, only_base64=False)


def check_counting(body: Any, models: Collection[str], strict: bool) -> list[Block]:
    """Return the blocks of a prompt whose tokens are to be counted. Raises ApiError for what the service refuses."""
    _check_shape(body, COUNTED, ("model", "messages"), models)
    return _check_rest(body, strict, only_base64=True)


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the JSON schema that a checked request wants its answer in, or None."""
    form = (body.get("output_config") or {}).get("format")
    return form["schema"] if form else None


def _check_shape(body: Any, known: set[str], needed: tuple[str, ...], models: Collection[str]) -> None:
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    for name in needed:
        if name not in body:
            raise invalid(f"{name}: Field required")
    for name in body:
        if name not in known:
            raise invalid(f"{name}: Extra inputs are not permitted")
        if name in NOT_REHEARSED and body[name]:
            raise invalid(f"{name}: the rehearsal server does not rehearse it")
    if body["model"] not in models:
        raise ApiError("not_found_error", f"model: {body['model']}")
    messages = body["messages"]
    if not isinstance(messages, list):
        raise invalid("messages: Input should be a valid list")
    if not messages:
        raise invalid("messages: at least one message is required")


def _check_sampling(body: dict[str, Any]) -> None:
    sent = [name for name in STILL_TAKEN if body.get(name) is not None]
    for name in sent:
        if body[name] not in STILL_TAKEN[name]:
            raise invalid(f"`{name}` is deprecated for this model.")
    if len(sent) > 1:
        raise invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")


def _check_rest(body: dict[str, Any], strict: bool, only_base64: bool) -> list[Block]:
    _check_format(body)
    check_thinking(body)
    blocks = read_prompt(body, strict, only_base64)
    first, last = body["messages"][0], body["messages"][-1]
    if first["role"] == "assistant":
        raise invalid('messages: first message must use the "user" role')
    if last["role"] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if (schema := schema_of(body)) is not None:
        blocks.append(Block("format", None, text_tokens(str(schema))))
    refuse_too_long(sum(block.tokens for block in blocks), CONTEXT)
    return blocks


def _check_format(body: dict[str, Any]) -> None:
    config = body.get("output_config")
    if config is None:
        return
    if not isinstance(config, dict) or set(config) - {"effort", "format"}:
        raise invalid("output_config: Extra inputs are not permitted")
    form = config.get("format")
    if form is None:
        return
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        raise invalid("output_config.format.type: Input should be 'json_schema'")
    if "schema" not in form:
        raise invalid("output_config.format.schema: Field required")
    if flaw := schema_flaw(form["schema"]):
        raise invalid(flaw)
