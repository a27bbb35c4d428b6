"""Which split is evaluated, where the published ones are not what their names say."""

from collections.abc import Collection, Mapping

from tinyemo_data.errors import TableError

PREFERENCE = ("test", "validation")


def choose_split(available: Mapping[str, Collection[str]], dataset: str = "the dataset") -> tuple[str, str | None]:
    """Return the split to evaluate and a note for people, where there is something to say.

    `available` maps each split to the SHA-256 digests of its labelled rows; an empty split counts as none.
    Raises TableError where there is neither a test nor a validation split.
    """
    filled = [split for split in PREFERENCE if available.get(split)]
    if not filled:
        present = ", ".join(f"{name} ({len(rows)})" for name, rows in sorted(available.items())) or "no rows at all"
        raise TableError(
            f"{dataset}: expected labelled pictures in a test or validation split, found {present}. "
            f"Look at quarantine/{dataset} for what was kept apart, complete its raw folder, "
            f"and materialize samples/{dataset} and features/{dataset} again."
        )
    if filled == ["validation"]:
        return "validation", f"{dataset}: there is no test folder: validation is the evaluated split."
    return "test", _shared_note(available, dataset)


def _shared_note(available: Mapping[str, Collection[str]], dataset: str) -> str | None:
    """Say how far the published validation split is the test split again."""
    test, validation = set(available["test"]), set(available.get("validation", ()))
    shared = len(test & validation)
    if validation and test == validation:
        return (
            f"{dataset}: the published validation/ holds the same pictures as test/; "
            "neither selected anything here (early stopping looks at a part of train)."
        )
    if shared:
        return f"{dataset}: {shared} of {len(test)} test pictures are in the published validation/ as well."
    return None
