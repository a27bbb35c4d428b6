"""What was published, in the order in which it was: `published/<repository>.json`."""

from dataclasses import asdict, dataclass

from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Receipt:
    """One published revision."""

    commit: str
    url: str
    manifest_sha256: str
    private: bool
    pull_request: str | None
    tag: str | None
    run: str  # that published it; empty: no run of the graph
    at: str  # UTC, ISO 8601
    sent: list[str]
    deleted: list[str]


def receipts_key(name: str) -> str:
    """Return the store key of a repository's receipts."""
    return f"published/{name}.json"


def read_receipts(store: Store, name: str) -> list[Receipt]:
    """Return a repository's receipts, the oldest first; none where it was never published."""
    key = receipts_key(name)
    if not store.exists(key):
        return []
    try:
        return [Receipt(**values) for values in store.read_json(key)]
    except TypeError as exc:
        raise StoreError(f"{store.path(key)} holds no receipts of this version ({exc}). Move it away.") from exc


def add_receipt(store: Store, name: str, receipt: Receipt) -> None:
    """Append a receipt."""
    store.write_json(receipts_key(name), [asdict(one) for one in [*read_receipts(store, name), receipt]])
