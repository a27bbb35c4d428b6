"""Packs hold every request once, in order, within bytes and count, and are the JSON that the API takes."""

import base64
import io
import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.synthesis.asking import questions
from tests.synthesis.batches.running import pictured
from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches.batch import Enclosed
from tinyemo_data.synthesis.backends.batches.entry import encode, encode_all
from tinyemo_data.synthesis.backends.batches.packing import Limits, Pack, pack_all
from tinyemo_data.synthesis.backends.message import message_params


def test_encoded_request_is_the_message_with_its_digest_as_custom_id() -> None:
    (one,) = questions(1)
    content = encode(one).content
    assert content is not None
    assert orjson.loads(content) == {
        "custom_id": one.digest,
        "params": message_params(orjson.loads(one.canonical), None),
    }


@given(sizes=st.lists(st.integers(2, 60), max_size=40), most_bytes=st.integers(20, 200), most=st.integers(1, 10))
def test_packs_hold_every_request_once_in_order_and_within_their_limits(
    sizes: list[int], most_bytes: int, most: int
) -> None:
    entries = [(Enclosed(str(at), "m", 0.0), b'"%b"' % (b"x" * (size - 2))) for at, size in enumerate(sizes)]
    seen: list[str] = []
    for pack in pack_all(entries, Path(tempfile.gettempdir()), Limits(requests=most, bytes=most_bytes)):
        pack.seal()
        content = b"".join(pack.content())
        assert b"".join(pack.content()) == content  # a second attempt sends the same
        pack.close()
        assert len(content) == pack.size
        assert len(orjson.loads(content)["requests"]) == len(pack) <= most
        # A single request that is too large is the service's to refuse.
        assert pack.size <= most_bytes or len(pack) == 1
        seen += [one.digest for one in pack.enclosed]
    assert seen == [one.digest for one, _ in entries]


def test_pack_tells_before_its_last_bytes_leave(tmp_path: Path) -> None:
    pack = Pack(tmp_path, Limits())
    pack.add(Enclosed("a", "m", 0.0), b"{}")
    pack.seal()
    told: list[str] = []
    sent = b""
    for block in pack.content(lambda: told.append("ends")):
        if not told:
            sent += block
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(sent)
    assert (told, len(sent)) == (["ends"], pack.size - 2)
    pack.close()


def test_pack_says_where_it_can_not_be_spooled(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="can't be spooled there"):
        Pack(tmp_path / "absent", Limits())


def test_pictures_are_read_by_threads_and_stay_in_order(tmp_path: Path) -> None:
    outgoing = pictured(tmp_path, 40)
    entries = list(encode_all(outgoing, threads=3))
    assert [entry.one for entry in entries] == outgoing
    assert entries[5].content is not None
    image, text = orjson.loads(entries[5].content)["params"]["messages"][0]["content"]
    with Image.open(io.BytesIO(base64.b64decode(image["source"]["data"]))) as sent:
        assert max(sent.size) == 32
    assert text["text"] == "Question 5"


def test_a_picture_that_is_gone_is_a_flaw_of_its_request_alone(tmp_path: Path) -> None:
    outgoing = pictured(tmp_path, 6)
    (tmp_path / "2.png").unlink()
    (tmp_path / "4.png").write_bytes(b"another")
    entries = list(encode_all(outgoing, threads=2))
    assert [at for at, entry in enumerate(entries) if entry.content is None] == [2, 4]
    assert "can't be read" in entries[2].flaw
    assert "other bytes" in entries[4].flaw
