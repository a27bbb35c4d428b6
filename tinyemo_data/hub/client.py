"""The Hub's own client, as it is used here: with a token of the environment, quiet, and never waiting without end."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tinyemo_data.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SECONDS = 300.0  # for one answer; a large commit takes the Hub minutes
SECONDS_TO_CONNECT = 30.0


@contextlib.contextmanager
def open_hub() -> Iterator["HfApi"]:
    """Give the client. Raises HubError where there is no token.

    `HF_TOKEN` and `HF_ENDPOINT` are read now, not when the client was first imported. By default it waits for an
    answer for ever; within the block it does not.
    """
    import httpx2
    from huggingface_hub import HfApi, get_session

    token = os.environ.get("HF_TOKEN")
    if not token:
        raise HubError("HF_TOKEN is not set: publishing needs a token with write access, from the environment alone.")
    session = get_session()
    before = session.timeout
    session.timeout = httpx2.Timeout(SECONDS, connect=SECONDS_TO_CONNECT)
    try:
        with _quiet():
            yield HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    finally:
        session.timeout = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client's progress bars and warnings out of logs: its warnings repeat signed addresses of uploads."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    logger, disabled = logging.getLogger("huggingface_hub"), are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if not disabled:
            enable_progress_bars()
