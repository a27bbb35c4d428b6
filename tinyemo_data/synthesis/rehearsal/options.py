"""How a rehearsal server is set up."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits

# https://platform.claude.com/docs/en/api/errors (request sizes): 32 MB a message, 256 MB a batch. Where MB may be
# read in two ways, the smaller is taken: what passes here passes there.
MESSAGE_BYTES = 32_000_000
BATCH_BYTES = 256_000_000
BATCH_REQUESTS = 100_000


class Options(BaseModel):
    """What can't change while the server runs, and what it starts with (`faults`, `limits`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65_535, description="0: any free one")
    faults: Faults = Faults()
    limits: Limits = Limits()
    strict_pictures: bool = Field(False, description="decode every picture, not only its first bytes")
    message_bytes: int = Field(MESSAGE_BYTES, ge=1)
    batch_bytes: int = Field(BATCH_BYTES, ge=1)
    batch_requests: int = Field(BATCH_REQUESTS, ge=1)
    unpriced_models: tuple[str, ...] = Field(
        (), description="models that are known beside the priced ones, at 0 dollars"
    )
    chat_models: tuple[str, ...] = Field((), description="models of chat completions; empty: any name")
    require_bearer: bool = Field(False, description="chat completions want a key, as vLLM with --api-key")
    bill_file: Path | None = Field(None, description="append a JSON line for everything that is paid")
    keep_calls: bool = Field(True, description="hold on to a journal of all calls, for tests")
    keep_bodies: bool = Field(False, description="hold on to every request's body, for tests")
