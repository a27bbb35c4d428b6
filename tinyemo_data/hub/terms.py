"""Terms of those who answered: may models be trained on what they said? The data is in `terms.yaml`."""

import functools
from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

TERMS = Path(__file__).parent / "terms.yaml"


class GeneratorTerms(BaseModel):
    """What one backend's terms come to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    acknowledge: bool  # must somebody say that the terms were read, before anything is published?
    terms: str


class _AllTerms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    generators: dict[str, GeneratorTerms]
    unknown: GeneratorTerms


@functools.cache
def _all_terms() -> _AllTerms:
    return _AllTerms.model_validate(yaml.safe_load(TERMS.read_text(encoding="utf-8")))


def terms_of(generator: str) -> GeneratorTerms:
    """Return the terms of a backend; of one that nobody looked up, those that ask for an acknowledgement."""
    known = _all_terms()
    return known.generators.get(generator, known.unknown)


def to_acknowledge(generators: Iterable[str]) -> list[str]:
    """Return the backends whose terms somebody must have read, sorted."""
    return sorted(name for name in set(generators) if terms_of(name).acknowledge)
