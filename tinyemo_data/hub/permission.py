"""What stands against publishing a staged repository. Each objection says what would lift it."""

from collections.abc import Iterator
from typing import NamedTuple

from tinyemo_data.hub.files import Manifest
from tinyemo_data.hub.licences import licence_of
from tinyemo_data.hub.terms import terms_of, to_acknowledge
from tinyemo_data.settings import HubSettings


class Objection(NamedTuple):
    """One reason not to publish."""

    name: str  # machine-readable: terms, undecided_slices, …
    sentence: str  # for people


def objections(manifest: Manifest, hub: HubSettings) -> list[Objection]:
    """Return all that stands against publishing; nothing: it may be."""
    return list(_objections(manifest, hub))


def _objections(manifest: Manifest, hub: HubSettings) -> Iterator[Objection]:
    if hub.namespace is None:
        yield Objection("namespace", "Nobody is named to publish as: set hub.namespace (TINYEMO_HUB__NAMESPACE).")
    asking = [] if hub.acknowledge_terms else to_acknowledge(manifest.generators)
    for name in asking:
        terms = terms_of(name)
        yield Objection(
            "terms",
            f"It was made with {terms.title} ({name}). {terms.terms} Read the terms; where they allow it, set "
            "hub.acknowledge_terms (TINYEMO_HUB__ACKNOWLEDGE_TERMS) to true.",
        )
    if manifest.undecided_slices:
        yield Objection(
            "undecided_slices",
            f"{len(manifest.undecided_slices)} bias slices are undecided (the first: {manifest.undecided_slices[0]}). "
            "Decide each in audit/review.csv, then stage again.",
        )
    if not manifest.contamination_measured:
        yield Objection(
            "contamination",
            "It is not known which evaluated pictures it shows. Materialize leakage, then stage again.",
        )
    for name in manifest.features_of:
        if not hub.features_override or licence_of(name).features == "never":
            yield Objection(
                "features",
                f"It holds features of the pictures of {name}, whose licence does not say that they may be published. "
                "Stage it again without hub.features_override.",
            )
