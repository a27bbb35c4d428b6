"""Requests that are refused for no fault of their own: by plan, by a limit on spending, by a rate limit."""

import math

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid
from tinyemo_data.synthesis.rehearsal.service import Call, Service

OVER_THE_RATE = "This request would exceed your organization's rate limit"
REGAIN = "You will regain access on the first day of the next month at 00:00 UTC."
PLANNED = (
    ("unauthorised", "authentication_error", "invalid x-api-key"),
    ("overloaded", "overloaded_error", "Overloaded"),
    ("server_error", "api_error", "Internal server error"),
)


def refuse_by_plan(service: Service, call: Call) -> None:
    """Raise ApiError where one of the faults that refuse a request falls on this one."""
    for fault, kind, message in PLANNED:
        if service.meets(call, fault):
            raise ApiError(kind, message)
    refuse_by_spending(service, call)
    if service.meets(call, "rate_limited"):
        seconds = service.faults.retry_after
        headers = {} if seconds is None else {"retry-after": f"{seconds:g}"}
        raise ApiError("rate_limit_error", f"{OVER_THE_RATE}.", headers=headers)


def refuse_by_spending(service: Service, call: Call) -> None:
    """Raise ApiError where a limit on spending is reached: by dollars, by number, or at once where neither is set."""
    faults = service.faults
    if faults.spend_limit is None:
        return
    usd, number = faults.spend_limit_usd, faults.spend_limit_from
    by_usd = usd is not None and service.bill.usd >= usd
    by_number = number is not None and service.happened("request") + service.happened("batch") >= number
    if by_usd or by_number or (usd is None and number is None):
        call.fault = "spend_limit"
        raise spend_limit_error(faults.spend_limit)


def spend_limit_error(kind: str) -> ApiError:
    """Return the error of a limit on spending. Its 429s have no retry-after: an error_code tells them from others.

    Source: https://platform.claude.com/docs/en/api/errors and .../api/rate-limits, and the SDK's table of errors.
    """
    if kind == "billing":
        return ApiError("billing_error", "There's an issue with your billing or payment information.")
    if kind == "specified":
        return invalid(f"You have reached your specified API usage limits. {REGAIN}")
    why = "the spend limit of its contract" if kind == "contract" else "its monthly API usage threshold"
    message = f"You have reached your API usage limits: your organization has crossed {why}. {REGAIN}"
    return ApiError("rate_limit_error", message, error_code=f"{kind}_spend_limit_reached")


def refuse_by_rate(service: Service, call: Call, input_tokens: int) -> None:
    """Raise ApiError where a request passes a rate limit; else take it from the buckets."""
    refused = service.limiter.admit(input_tokens)
    if refused is None:
        return
    kind, seconds = refused
    call.fault = "limits"
    headers = service.limiter.headers()
    if service.limiter.limits.retry_after:
        headers["retry-after"] = str(max(1, math.ceil(seconds)))
    raise ApiError("rate_limit_error", f"{OVER_THE_RATE} ({kind.replace('-', ' ')} per minute).", headers=headers)
