"""What assets ask for. Each is a thin face of the library; its values can be overridden in the launchpad."""

import dagster as dg

from tinyemo_data.settings import EncoderSettings, Settings, SynthesisSettings, checked
from tinyemo_data.store import Store


class StoreResource(dg.ConfigurableResource):
    """Where everything that is made is kept, and whether its pictures are drawn or real."""

    url: str
    pictures: str = "real"

    def open(self) -> Store:
        """Return the store; refuses to mix drawn and real pictures in one."""
        store = Store(self.url)
        store.claim("drawn" if self.pictures == "drawn" else "real")
        return store


class RawResource(dg.ConfigurableResource):
    """The folder of the raw datasets, each in its distributed layout. Never written to but by `sample_corpus`."""

    folder: str


class ClipEncoder(dg.ConfigurableResource):
    """Which open_clip model encodes pictures, on which device, in which precision."""

    model: str
    pretrained: str | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch_size: int = 64
    decode: str = "exact"

    def settings(self) -> EncoderSettings:
        """Return the values as checked settings."""
        return checked(EncoderSettings, self.model_dump())


class LanguageModel(dg.ConfigurableResource):
    """The language model whose embedding space pictures are projected into; none: a small one made on the spot."""

    location: str | None = None
    tokenizer: str | None = None


class Generator(dg.ConfigurableResource):
    """Who answers instruct questions, and the budget that all of them share. A key is in the environment alone."""

    backend: str
    model: str | None = None
    base_url: str | None = None
    concurrency: int = 256
    budget_usd: float | None = None
    unpriced: bool = False
    wait_for_batches: bool = False
    ledger: str | None = None

    def over(self, settings: Settings) -> Settings:
        """Return `settings` with these values laid over its synthesis."""
        values = self.model_dump(include=set(SynthesisSettings.model_fields))
        synthesis = checked(SynthesisSettings, settings.synthesis.model_dump() | values)
        return settings.model_copy(update={"synthesis": synthesis, "ledger": self.ledger})


def build_resources(settings: Settings) -> dict[str, dg.ConfigurableResource]:
    """Return the resources of a profile, by the names that assets ask for."""
    encoder = settings.encoder
    return {
        "store": StoreResource(url=settings.store, pictures=settings.pictures),
        "raw": RawResource(folder=settings.raw),
        "clip_encoder": ClipEncoder(**encoder.model_dump()),
        "generator": _generator(settings),
        "language_model": LanguageModel(location=settings.language_model, tokenizer=settings.language_model_tokenizer),
    }


def _generator(settings: Settings) -> Generator:
    named = settings.synthesis.model_dump(include=set(Generator.model_fields))
    return Generator(ledger=settings.ledger, **named)
