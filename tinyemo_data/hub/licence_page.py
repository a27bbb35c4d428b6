"""LICENSE.md: what a repository may be used for, and what its sources say."""

from collections.abc import Iterable, Sequence

from tinyemo_data.hub.card import render
from tinyemo_data.hub.licences import all_licences
from tinyemo_data.hub.terms import terms_of


def render_licence(licences: Sequence[dict[str, str]], generators: Iterable[str]) -> str:
    """Return the page; equal arguments give equal text."""
    return render(
        "licence.md.j2",
        ours=all_licences().ours,
        licences=licences,
        terms=[{"name": name, **terms_of(name).model_dump()} for name in sorted(set(generators))],
    )
