"""What the engine's tests, fault trials and benchmarks ask: questions by the thousand, all of them different."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.request import make_request

MODEL = "claude-haiku-5-5"
SCHEMA = {
    "type": "object",
    "properties": {"caption": {"type": "string"}},
    "required": ["caption"],
    "additionalProperties": False,
}


def questions(count: int, *, model: str = MODEL, length: int = 200, max_tokens: int = 100) -> list[Outgoing]:
    """Return `count` requests without pictures, each about `length` bytes of text long."""
    return [question(number, model=model, length=length, max_tokens=max_tokens) for number in range(count)]


def question(number: int, *, model: str = MODEL, length: int = 200, max_tokens: int = 100) -> Outgoing:
    """Return one of the requests."""
    request = make_request(
        model=model,
        system="You describe pictures. " * 4,
        text=f"Question {number}. ".ljust(length, "."),
        schema=SCHEMA,
        max_tokens=max_tokens,
        seed=number,
        picture=None,
    )
    return Outgoing(request.digest, request.canonical, None)


def in_chunks(outgoing: list[Outgoing], size: int = 200) -> Iterator[list[Outgoing]]:
    """Cut into lists of `size`."""
    for start in range(0, len(outgoing), size):
        yield outgoing[start : start + size]


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def ledger_path(folder: Path) -> Path:
    """Return where the tests keep a ledger."""
    return folder / "ledger" / "requests.sqlite"
