import re

from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.request import make_request

PARTS = {
    "model": "rules-1",
    "system": "s",
    "text": "t",
    "schema": {"type": "object"},
    "max_tokens": 10,
    "seed": 0,
    "picture": {"sha256": "0" * 64, "side": 512},
    "known": None,
}


@given(st.text(max_size=30), st.integers(0, 2**31))
def test_digest_is_a_custom_id_and_the_body_comes_back(text: str, seed: int) -> None:
    request = make_request(**(PARTS | {"text": text, "seed": seed}))  # type: ignore[arg-type]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", request.digest)
    assert (request.body["text"], request.body["seed"]) == (text, seed)


def test_digest_changes_with_every_part_and_with_nothing_else() -> None:
    changes = {"model": "m", "system": "x", "text": "x", "schema": {}, "max_tokens": 11, "seed": 1, "picture": None}
    digests = {make_request(**(PARTS | {name: value})).digest for name, value in changes.items()}  # type: ignore[arg-type]
    same = make_request(**dict(reversed(PARTS.items()))).digest  # type: ignore[arg-type]
    assert len(digests | {same}) == len(changes) + 1
    assert same == make_request(**PARTS).digest  # type: ignore[arg-type]
