"""Canaries: the first request of a new prompt goes out online, since a batch's parameters are looked at hours later."""

import hashlib
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import orjson

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.online import OnlineBackend
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker
from tinyemo_data.synthesis.failures import StoppedError
from tinyemo_data.synthesis.ledger import Ledger, timestamp
from tinyemo_data.synthesis.outgoing import Outgoing

TRIES = 3  # requests of a prompt: the first may be at fault itself
SHOWN = 60  # characters of a prompt

Online = Callable[[], OnlineBackend]
Prompt = tuple[str, str, int, bool, bytes]


def prompt_of(body: dict[str, Any]) -> Prompt:
    """Return what requests of one prompt have in common: model, system text, length, whether with picture, schema."""
    return body["model"], body["system"], body["max_tokens"], bool(body["picture"]), orjson.dumps(body["schema"])


class Canaries:
    """Knows which prompts the service takes, and asks it about new ones."""

    def __init__(self, ledger: Ledger, budget: Budget, online: Online | None, unpriced: bool) -> None:
        """Ask through backends that `online` makes, one a canary; None: take every prompt for sound."""
        self._ledger, self._budget, self._online, self._unpriced = ledger, budget, online, unpriced
        self._sound: set[Prompt] = set()
        self.sent = 0
        self.notes: list[str] = []

    def is_sound(self, prompt: Prompt) -> bool:
        """Tell whether the service is known to take this prompt, from this run or from an earlier one."""
        if prompt in self._sound:
            return True
        if self._online is None or self._is_written(prompt):
            self._sound.add(prompt)
            return True
        return False

    def ask(self, prompt: Prompt, candidates: Iterable[Outgoing]) -> set[str]:
        """Ask one of `candidates` (of this prompt) online; return the digests that need no batch any more.

        Raises StoppedError where the service takes none of them, SynthesisError where it does not answer, and
        BudgetError at the wall.
        """
        failure: SynthesisError | None = None
        for one in islice(candidates, TRIES):
            try:
                self._ask_one(prompt, one)
            except StoppedError as exc:
                failure = exc
            except SynthesisError as exc:
                failure = failure or exc
            else:
                self._sound.add(prompt)
                return {one.digest}
        assert failure is not None  # there is at least one candidate
        raise failure

    def _ask_one(self, prompt: Prompt, one: Outgoing) -> None:
        assert self._online is not None
        asker = Asker(self._ledger, self._online(), self._budget, 1, unpriced=self._unpriced)
        result = asker.run([[one]], 1)
        self.sent += result.answered
        if not result.answered:
            why = [*result.given_up, *result.refused, *result.first_gone, "it was stopped"][0]
            raise SynthesisError(
                f"The first request of a prompt got no answer ({why}), so nothing of it was put into a batch. "
                "Run the same again when the service is well."
            )
        self._write(prompt, one.digest, result.cache_write_tokens + result.cache_read_tokens)

    def _write(self, prompt: Prompt, digest: str, cached_tokens: int) -> None:
        with self._ledger.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO canaries (prompt, digest, cached_tokens, at) VALUES (?, ?, ?, ?)",
                (_key(prompt), digest, cached_tokens, timestamp()),
            )
        if not cached_tokens:
            tokens = self._ledger.replies([digest])[digest].input_tokens
            self.notes.append(
                f"The prompt cache does nothing for {prompt[0]} and the prompt that begins '{prompt[1][:SHOWN]}': a "
                f"request's {tokens:,} input tokens are paid in full each time. A model caches only prefixes above its "
                "own minimum length."
            )

    def _is_written(self, prompt: Prompt) -> bool:
        with self._ledger.transaction() as connection:
            row = connection.execute("SELECT 1 FROM canaries WHERE prompt = ?", (_key(prompt),)).fetchone()
        return row is not None


def _key(prompt: Prompt) -> str:
    *parts, schema = prompt
    return hashlib.sha256(orjson.dumps(parts) + schema).hexdigest()
