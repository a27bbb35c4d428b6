"""Released features: read bit for bit, and nothing in a file is ever executed."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.reading import read_features
from tinyemo_data.features.released import feature_digest, import_released_features, read_released_tensor
from tinyemo_data.store import Store

MARKER = "executed"


class Trap:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def good_bytes(dimension: int = 8) -> bytes:
    buffer = io.BytesIO()
    torch.save(torch.arange(dimension).half(), buffer)
    return buffer.getvalue()


def with_pickle(content: bytes, program: bytes) -> bytes:
    """Replace the pickle of a saved tensor, as a forger would."""
    forged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(forged, "w") as target:
        for member in source.infolist():
            is_pickle = member.filename.endswith("data.pkl")
            target.writestr(member.filename, program if is_pickle else source.read(member))
    return forged.getvalue()


def test_read_released_tensor_equals_torch_load_on_every_real_feature(shared_data: Path) -> None:
    paths = sorted((shared_data / "emotion6_clip_features").rglob("*.pt"))
    assert len(paths) == 1386
    for path in paths:
        expected = torch.load(path, weights_only=True)
        assert expected.numpy().tobytes() == read_released_tensor(path).tobytes()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.linspace(-3, 3, 7).half(),
        torch.linspace(-3, 3, 7),
        torch.linspace(-3, 3, 7).bfloat16(),
        torch.linspace(-3, 3, 7).half()[None],
        torch.linspace(-3, 3, 12).half().view(3, 4)[1],
        torch.linspace(-3, 3, 12).half().view(3, 4)[:, 2],
        torch.linspace(-3, 3, 7).half().requires_grad_(),
    ],
    ids=["float16", "float32", "bfloat16", "one_row", "row_of_a_batch", "strided_column", "with_gradient"],
)
def test_read_released_tensor_gives_float16_values_whatever_plain_vector_was_saved(
    tensor: torch.Tensor, tmp_path: Path
) -> None:
    torch.save(tensor, tmp_path / "f.pt")
    expected = tensor.detach().half().reshape(-1).numpy()
    np.testing.assert_array_equal(read_released_tensor(tmp_path / "f.pt"), expected)


def test_read_released_tensor_executes_nothing_when_the_pickle_is_a_trap(tmp_path: Path) -> None:
    marker = tmp_path / MARKER
    program = pickle.dumps(Trap(marker), protocol=2)
    (tmp_path / "f.pt").write_bytes(with_pickle(good_bytes(), program))
    with pytest.raises(FeatureError, match=r"f\.pt.*'(posix|os|nt)\.system'.*torch\.save"):
        read_released_tensor(tmp_path / "f.pt")
    assert not marker.exists()
    pickle.loads(program)
    assert marker.exists(), "the trap itself must work, or this test shows nothing"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_read_released_tensor_executes_nothing_under_any_pickle_protocol(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / MARKER
    (tmp_path / "f.pt").write_bytes(with_pickle(good_bytes(), pickle.dumps([Trap(marker)], protocol)))
    with pytest.raises(FeatureError):
        read_released_tensor(tmp_path / "f.pt")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("saved", "found"),
    [
        ({"model.0.weight": torch.zeros(3)}, "a dictionary"),
        (OrderedDict(weight=torch.zeros(3)), "a dictionary"),
        ([torch.zeros(3)], "a list"),
        (torch.zeros(2, 3), r"shape \(2, 3\)"),
        (torch.zeros(()), r"shape \(\)"),
        (torch.zeros(0), r"shape \(0,\)"),
        (torch.zeros(3, dtype=torch.int64), "LongStorage"),
        (torch.zeros(3, dtype=torch.float64), "DoubleStorage"),
        (torch.tensor([0.0, 1e5]), "100000.0 at 1"),
        (torch.tensor([float("nan")]).half(), "nan at 0"),
        (torch.nn.Linear(2, 2), "Linear"),
    ],
    ids=["state_dict", "ordered", "list", "matrix", "scalar", "empty", "int64", "float64", "overflow", "nan", "module"],
)
def test_read_released_tensor_says_what_it_found_when_it_is_no_feature(saved: Any, found: str, tmp_path: Path) -> None:
    torch.save(saved, tmp_path / "f.pt")
    with pytest.raises(FeatureError, match=rf"f\.pt.*{found}"):
        read_released_tensor(tmp_path / "f.pt")


def test_read_released_tensor_refuses_the_legacy_format(tmp_path: Path) -> None:
    torch.save(torch.zeros(3).half(), tmp_path / "f.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(FeatureError, match="zip"):
        read_released_tensor(tmp_path / "f.pt")


def test_read_released_tensor_refuses_every_truncation(tmp_path: Path) -> None:
    content = good_bytes()
    for length in range(0, len(content), 37):
        (tmp_path / "f.pt").write_bytes(content[:length])
        with pytest.raises(FeatureError):
            read_released_tensor(tmp_path / "f.pt")


def test_read_released_tensor_names_the_file_when_it_is_absent(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"nothing\.pt"):
        read_released_tensor(tmp_path / "nothing.pt")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=st.binary(max_size=200))
def test_read_released_tensor_gives_a_tensor_or_a_feature_error_when_the_pickle_is_noise(
    program: bytes, tmp_path: Path
) -> None:
    (tmp_path / "f.pt").write_bytes(with_pickle(good_bytes(), program))
    with pytest.raises(FeatureError):
        read_released_tensor(tmp_path / "f.pt")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=st.integers(1, 255))
def test_read_released_tensor_gives_a_tensor_or_a_feature_error_when_a_byte_is_flipped(
    place: int, value: int, tmp_path: Path
) -> None:
    content = bytearray(good_bytes())
    content[place % len(content)] ^= value
    (tmp_path / "f.pt").write_bytes(bytes(content))
    try:
        feature = read_released_tensor(tmp_path / "f.pt")
    except FeatureError:
        return
    # Padding and timestamps carry nothing: a flip there must not change a value.
    np.testing.assert_array_equal(feature, np.arange(8, dtype=np.float16))


def released_samples(root: Path, features: dict[str, torch.Tensor]) -> pl.DataFrame:
    rows = []
    for name, tensor in features.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(tensor.half(), root / name)
        sha256 = feature_digest(tensor.half().numpy())
        rows.append((f"emotion6/{name.removesuffix('.pt')}", "feature", "emotion6", name, sha256))
    return pl.DataFrame(rows, schema=["sample_id", "source_kind", "dataset", "image_path", "sha256"], orient="row")


def test_import_released_features_reads_back_what_was_saved(store: Store, tmp_path: Path) -> None:
    saved = {f"images/train/joy/{n}.pt": torch.randn(16, generator=torch.Generator().manual_seed(n)) for n in range(30)}
    samples = released_samples(tmp_path, saved)
    report = import_released_features(store, samples, tmp_path, "vit-l-14-quickgelu-openai")
    assert (report.rows, report.computed, report.reused, len(report.failed)) == (30, 30, 0, 0)
    table = read_features(store, "vit-l-14-quickgelu-openai", "emotion6")
    assert table.sample_ids == sorted(samples["sample_id"])
    for name, row in zip(table.sample_ids, table.features, strict=True):
        assert torch.equal(row, saved[name.removeprefix("emotion6/") + ".pt"].half())


def test_import_released_features_records_each_reason_and_tries_again(store: Store, tmp_path: Path) -> None:
    saved = {f"train/joy/{n}.pt": torch.full((16,), float(n)) for n in range(9)}
    samples = released_samples(tmp_path, saved)
    (tmp_path / "train/joy/1.pt").unlink()
    (tmp_path / "train/joy/2.pt").write_bytes(b"no tensor")
    torch.save(torch.full((16,), 99.0).half(), tmp_path / "train/joy/3.pt")
    torch.save(torch.zeros(8).half(), tmp_path / "train/joy/4.pt")
    report = import_released_features(store, samples, tmp_path, "clip")
    reasons = dict(report.failed.select("sample_id", "reason").iter_rows())
    assert reasons == {
        "emotion6/train/joy/1": "absent",
        "emotion6/train/joy/2": "unreadable",
        "emotion6/train/joy/3": "changed",
        "emotion6/train/joy/4": "other_dimension",
    }
    assert report.rows == 5
    released_samples(tmp_path, saved)
    again = import_released_features(store, samples, tmp_path, "clip")
    assert (again.rows, again.computed, again.reused, len(again.failed)) == (9, 4, 5, 0)


def test_import_released_features_stops_when_no_file_is_readable(store: Store, tmp_path: Path) -> None:
    samples = released_samples(tmp_path, {"a/1.pt": torch.zeros(4)})
    (tmp_path / "a/1.pt").write_bytes(b"")
    with pytest.raises(FeatureError, match="None of the 1 released features"):
        import_released_features(store, samples, tmp_path, "clip")
