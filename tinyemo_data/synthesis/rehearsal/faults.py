"""What goes wrong, and when: everything about the server that may change while it runs.

A plan is written as a share (`0.1`), or as `nth:3,7`, `every:5`, `from:10`. Messages and chat completions are
counted together, in order of arrival, from 1 since faults were last set. What happens to the connection is drawn
by that number, so that a retry may pass; what happens to the content is drawn by the request's own bytes, so that
the same question is refused every time.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tinyemo_data.synthesis.rehearsal.latency import Latency, Spread
from tinyemo_data.synthesis.rehearsal.when import Plan, When, draw

NEVER = Plan()
RefusalCategory = Literal["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]
# The 429s are the SDK's EnforcedSpendLimitReachedError and ContractSpendLimitReachedError; `specified` is the 400 of
# a limit that people set themselves, `billing` the 402 of a payment that fails.
SpendLimit = Literal["enforced", "contract", "specified", "billing"]


class Faults(BaseModel):
    """Nothing goes wrong by default, and every reply is immediate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(0, description="of all shares and of the latency")
    latency: Latency = Field(Spread(), description="of every reply: 0.2, 0.1-0.4 or lognormal:0.2,0.5 (seconds)")
    slow: When = Field(NEVER, description="replies that take slow_seconds more")
    slow_seconds: float = Field(5.0, ge=0, description="what a slow reply takes beside the latency")

    rate_limited: When = Field(NEVER, description="429 rate_limit_error, whatever the limits say")
    retry_after: float | None = Field(None, ge=0, description="seconds told with such a 429; none: untold")
    overloaded: When = Field(NEVER, description="529 overloaded_error")
    server_error: When = Field(NEVER, description="500 api_error")
    unauthorised: When = Field(NEVER, description="401 authentication_error, as of a revoked key")
    lost_reply: When = Field(NEVER, description="answered and billed, but the connection closes before the reply")
    cut_reply: When = Field(NEVER, description="answered and billed, but the connection closes in mid-reply")
    dropped: When = Field(NEVER, description="the connection closes before anything is done; not billed")

    spend_limit: SpendLimit | None = Field(None, description="which limit on spending there is; none: no limit")
    spend_limit_usd: float | None = Field(None, ge=0, description="it is reached when the bill is at these dollars")
    spend_limit_from: int | None = Field(None, ge=1, description="it is reached at this request or batch, in order")

    refused: When = Field(NEVER, description="stop_reason refusal (drawn by the request's bytes)")
    refusal_category: RefusalCategory | None = Field("general_harms", description="its stop_details.category")
    cut_off: When = Field(NEVER, description="stop_reason max_tokens in the middle of the text (by its bytes)")
    malformed: When = Field(NEVER, description="text that is no JSON, though it ends as usual (by its bytes)")
    off_schema: When = Field(NEVER, description="JSON of another shape than the schema's (by its bytes)")
    thinking: When = Field(NEVER, description="a thinking block comes first, as models do by default (by its bytes)")

    batch_seconds: float = Field(0.0, ge=0, description="from a batch's creation to its end, its requests in turn")
    batch_cancel_seconds: float = Field(0.0, ge=0, description="how long a batch is canceling")
    batch_expires_after: float = Field(86_400.0, ge=0, description="seconds after which what is not done expires")
    batch_errored: When = Field(NEVER, description="requests of batches that end errored, with an api_error")
    batch_expired: When = Field(NEVER, description="requests of batches that end expired")
    batch_lost_creation: When = Field(NEVER, description="batches that are made, but whose creation gets no reply")
    batch_dropped_creation: When = Field(NEVER, description="creations without a reply and without a batch")
    batch_call_failed: When = Field(NEVER, description="calls about batches (all but creation) that end in a 500")
    batch_results_cut: When = Field(NEVER, description="downloads of results that break off in the middle")

    def meet(self, name: str, number: int, key: str | None = None) -> bool:
        """Tell whether fault `name` falls on request `number`; a share is drawn by `key` where one is given."""
        plan: Plan = getattr(self, name)
        if not plan:
            return False
        drawn = draw(self.seed, name, number if key is None else key) if plan.share else 1.0
        return plan.meets(number, drawn)

    def delay(self, number: int) -> float:
        """Return the seconds that the reply to request `number` takes."""
        seconds = self.latency.seconds(draw(self.seed, "latency", number)) if self.latency.b else self.latency.a
        return seconds + (self.slow_seconds if self.meet("slow", number) else 0.0)
