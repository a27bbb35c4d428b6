"""Taking in the results of one batch: which rows are news, which are known, and which belong to nobody."""

from collections.abc import Callable, Iterable, Mapping

from tinyemo_data.synthesis.backends.batches.results import read_row, settle_row
from tinyemo_data.synthesis.ledger import Settlement
from tinyemo_data.synthesis.pricing import Price

KEPT_ASIDE = 1_000  # strays of one batch that are kept; the others are counted


class Taking:
    """Rows in, settlements out."""

    def __init__(
        self,
        batch_id: str,
        requests: Iterable[tuple[str, str, float, bool]],
        price: Callable[[str], Price],
        errors: Mapping[str, int] | None = None,
    ) -> None:
        """Take in results of these requests: digest, model, dollars reserved, and whether it waits for its outcome.

        `errors` says of a digest in how many earlier batches the service failed at it.
        """
        self._batch_id, self._price, self._errors = batch_id, price, errors or {}
        self._waiting: dict[str, tuple[str, float]] = {}
        self._settled: set[str] = set()
        for digest, model, usd, waits in requests:
            if waits:
                self._waiting[digest] = (model, usd)
            else:
                self._settled.add(digest)
        self.settlements: list[Settlement] = []  # news; whoever takes them empties the list
        self.rows = 0
        self.known = 0  # rows of requests of this batch
        self.strays = 0
        self.kept_aside: list[bytes] = []

    @property
    def waiting(self) -> list[str]:
        """Return the requests that no row has told of."""
        return list(self._waiting)

    def take(self, line: bytes) -> None:
        """Take in one row."""
        self.rows += 1
        row = read_row(line)
        if row is None:
            self._keep_aside(line)
            return
        digest, result = row
        waited_for = self._waiting.get(digest)
        if waited_for is None:
            self._pass_over(digest, line)
            return
        self.known += 1
        model, reserved = waited_for
        errors = self._errors.get(digest, 0)
        settlement = settle_row(digest, result, self._batch_id, self._price(model), reserved, errors)
        if settlement is None:
            self._keep_aside(line)
            return
        del self._waiting[digest]
        self._settled.add(digest)
        self.settlements.append(settlement)

    def _pass_over(self, digest: str, line: bytes) -> None:
        if digest in self._settled:
            self.known += 1
        else:
            self._keep_aside(line)

    def _keep_aside(self, line: bytes) -> None:
        self.strays += 1
        if len(self.kept_aside) < KEPT_ASIDE:
            self.kept_aside.append(line)
