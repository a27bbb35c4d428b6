"""The interpretability report in a store: what it holds, where it lies, and how it reads."""

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.interpretability.groups import EMOTION
from tinyemo_data.audit.interpretability.summary import ENOUGH, GroupSummary, OwnWord
from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store

FOLDER = "audit"
REPORT_KEY = f"{FOLDER}/interpretability.json"
TOKENS_KEY = f"{FOLDER}/tokens.parquet"
MAP_KEY = f"{FOLDER}/map.parquet"
PICTURE_KEY = f"{FOLDER}/map.png"
SHOWN_WORDS = 6


@dataclass(frozen=True)
class Report:
    """What `audit/interpretability.json` holds."""

    groups: list[GroupSummary]
    context: dict[str, Any]  # projector, language model, whole words, pictures a dataset, options, map
    notes: list[str]

    def of_kind(self, kind: str) -> list[GroupSummary]:
        """Return the groups of a kind, by name."""
        return [group for group in self.groups if group.kind == kind]

    @property
    def judged(self) -> list[GroupSummary]:
        """Return the emotions with pictures enough to be judged."""
        return [group for group in self.of_kind(EMOTION) if group.pictures >= ENOUGH]


def write_report(store: Store, report: Report, tokens: pl.DataFrame, coordinates: pl.DataFrame, picture: bytes) -> None:
    """Write tables and map, then the JSON, whose presence means that the others are there."""
    store.write_table(TOKENS_KEY, tokens)
    store.write_table(MAP_KEY, coordinates)
    store.write_bytes(PICTURE_KEY, picture)
    digests = {key: store.digest(key) for key in (TOKENS_KEY, MAP_KEY, PICTURE_KEY)}
    written = {"groups": [asdict(group) for group in report.groups], "context": report.context, "notes": report.notes}
    store.write_json(REPORT_KEY, written | {"sha256": digests})


def read_report(store: Store) -> Report:
    """Read what `write_report` wrote. Raises StoreError where it is absent or not as this version writes it."""
    found = store.read_json(REPORT_KEY)
    try:
        groups = [GroupSummary(**{**group, "own_word": _own(group["own_word"])}) for group in found["groups"]]
        return Report(groups, found["context"], found["notes"])
    except (KeyError, TypeError) as exc:
        raise StoreError(
            f"{store.path(REPORT_KEY)} is not as this version writes it ({exc!r}). Materialize "
            "audit/interpretability again."
        ) from exc


def word_table(groups: list[GroupSummary]) -> pl.DataFrame:
    """Return a line a group for people: its words, and random words beside them."""
    rows = [
        {
            group.kind: group.name,
            "pictures": group.pictures,
            "nearest words": ", ".join(group.words_by_cosine[:SHOWN_WORDS]),
            "their cosine": group.cosine,
            "random words: mean, 95 %": _pair(group.control_cosine),
            "words that set it apart": ", ".join(group.words_by_lift[:SHOWN_WORDS]),
            "their lift": group.lift,
            "random words' lift: mean, 95 %": _pair(group.control_lift),
            "p (shuffled)": group.p_shuffled,
            "share of pictures, of random words": f"{group.share:.1%}, {group.control_share:.1%}",
            "own word: cosine, rank, p": _own_cell(group.own_word),
        }
        for group in groups
    ]
    return pl.DataFrame(rows)


def _own(found: Any) -> OwnWord | None:
    return None if found is None else OwnWord(**found)


def _pair(control: dict[str, float]) -> str:
    return f"{control['mean']:.3f}, {control['percentile_95']:.3f}"


def _own_cell(own: OwnWord | None) -> str:
    return "" if own is None else f"{own.cosine:.3f}, {own.rank:,}, {own.p_control:.3f}"
