"""What the rows themselves give reason to say: sentences for people, derived, never typed in."""

from collections.abc import Iterable, Iterator, Sequence

from tinyemo_data.evaluation.paper import title
from tinyemo_data.evaluation.row import Row

SMALL_CLASS = 10  # pictures; below it one picture moves the recall by more than ten points


def find_remarks(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each thing about a dataset's figures that a reader must know."""
    of_dataset: dict[str, list[Row]] = {}
    for row in rows:
        of_dataset.setdefault(row.dataset, []).append(row)
    return [remark for dataset in of_dataset.values() for remark in _remarks(dataset)]


def _remarks(rows: Sequence[Row]) -> Iterator[str]:
    first, name = rows[0], title(rows[0].dataset)
    if all(row.method.startswith("projector") for row in rows):
        yield f"{name}: it has no train split here, so no baseline could be fitted."
    absent = [label for label, n in first.support.items() if n == 0]
    if absent:
        yield (
            f"{name}: no {first.split} picture has {_listed(absent)}; predicting it is counted as an error, "
            "its recall is unknown."
        )
    small = [f"{label} {n}" for label, n in first.support.items() if 0 < n < SMALL_CLASS]
    if small:
        yield f"{name}: few {first.split} pictures ({_listed(small)}): their recall moves by leaps."
    yield from _twin_remarks(rows, name)
    if any(row.seen == "not known" for row in rows):
        yield f"{name}: what the imported projector learnt from is not known; it may have seen these pictures."
    if any(row.seen == "same pictures" for row in rows):
        yield (
            f"{name}: the projector learnt from the same pictures under another dataset's name; "
            "its figure is not zero-shot."
        )


def _twin_remarks(rows: Sequence[Row], name: str) -> Iterator[str]:
    first = rows[0]
    if not first.twins:
        return
    found = f"{name}: {first.twins} of {first.n} {first.split} pictures have a twin in the train data"
    if any(row.twins_removed for row in rows):
        yield f"{found}; the rows without twins leave them out."
    else:
        yield f"{found}: none is left to measure on without twins."


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
