"""`anthropic_batches`: message batches, at half the price, made once each and collected on whatever day.

All state is in the ledger: `submit` and `collect` may be run by other processes than those before, and are run again
after any kill. Both want `lock.sole_sender` to be held; `poll`, `states` and `describe` hold nothing.
"""

from tinyemo_data.synthesis.backends.batches.collection import CollectReport, collect
from tinyemo_data.synthesis.backends.batches.packing import Limits
from tinyemo_data.synthesis.backends.batches.polling import abandon, cancel_all, poll
from tinyemo_data.synthesis.backends.batches.service import open_batches_client
from tinyemo_data.synthesis.backends.batches.state import BatchState, describe, states
from tinyemo_data.synthesis.backends.batches.submission import SubmitReport, submit

__all__ = [
    "BatchState",
    "CollectReport",
    "Limits",
    "SubmitReport",
    "abandon",
    "cancel_all",
    "collect",
    "describe",
    "open_batches_client",
    "poll",
    "states",
    "submit",
]
