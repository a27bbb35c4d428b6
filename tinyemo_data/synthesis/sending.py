"""From drafts to what is sent: the drafts that are asked, in their order, with their pictures' places."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft_file import iterate_drafts
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.pricing import expected_input_tokens, price_of
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.waves import Key, Waves

ROWS_AT_ONCE = 1_024
COLUMNS = ("prompt", "emotion", "dataset", "image", "request_digest", "request")


@dataclass(frozen=True)
class Forecast:
    """What asking would send and cost."""

    drafts: int  # that would be asked
    requests: int  # that would be sent: not answered yet, and told apart by content
    input_tokens: int  # about
    output_tokens: int  # at most
    usd: float  # about
    usd_at_most: float


def count_pool(store: Store, name: str) -> Counter[Key]:
    """Return how many drafts of each emotion and task there are."""
    pool: Counter[Key] = Counter()
    for table in iterate_drafts(store, name, ("emotion", "prompt")):
        pool.update(table.iter_rows())
    return pool


def outgoing(
    store: Store, name: str, roots: Mapping[str, Path], waves: Waves | None = None
) -> Iterator[list[Outgoing]]:
    """Yield the requests of the drafts that are asked, in their order, in lists of at most ROWS_AT_ONCE.

    `roots` are the folders that each dataset's pictures lie below. With waves, the first drafts of each emotion and
    task alone are asked, as many as they say.
    """
    met: Counter[Key] = Counter()
    for table in iterate_drafts(store, name, COLUMNS, ROWS_AT_ONCE):
        chunk = []
        for prompt, emotion, dataset, image, digest, canonical in table.iter_rows():
            if waves is not None:
                met[emotion, prompt] += 1
                if met[emotion, prompt] > waves.asked[emotion, prompt]:
                    continue
            chunk.append(Outgoing(digest, canonical, roots[dataset] / image.removeprefix(f"{dataset}/")))
        if chunk:
            yield chunk


def forecast(
    chunks: Iterator[list[Outgoing]], ledger: Ledger, *, unpriced: bool = False, batch: bool = False
) -> Forecast:
    """Return what sending these requests would come to; nothing is written down or sent."""
    drafts = requests = input_tokens = output_tokens = 0
    usd = at_most = 0.0
    counted: set[str] = set()
    for chunk in chunks:
        drafts += len(chunk)
        still_open = set(ledger.open_of([one.digest for one in chunk])) - counted
        counted |= still_open
        for one in chunk:
            if one.digest not in still_open:
                continue
            still_open.discard(one.digest)
            body, size = one.body, len(one.canonical)
            price = price_of(body["model"], unpriced)
            requests += 1
            input_tokens += expected_input_tokens(body, size)
            output_tokens += body["max_tokens"]
            usd += price.forecast(body, size, batch)
            at_most += price.bound(body, size, batch)
    return Forecast(drafts, requests, input_tokens, output_tokens, usd, at_most)


def describe_forecast(recipe: Recipe, found: Forecast) -> str:
    """Return a forecast for people."""
    first = "" if recipe.per_emotion is None else ", for a first wave; what is turned away is asked for again"
    return (
        f"{recipe.name}, {recipe.backend}: {found.drafts:,} drafts, {found.requests:,} requests are not answered yet; "
        f"about {found.input_tokens:,} tokens in and at most {found.output_tokens:,} out; about ${found.usd:,.2f}, at "
        f"most ${found.usd_at_most:,.2f} if none is sent twice{first}. Nothing was sent."
    )
