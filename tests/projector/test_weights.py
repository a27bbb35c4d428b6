"""Weights from elsewhere: the released form in every place where it may lie, and what is refused."""

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.projector.conftest import MakeSettings
from tests.projector.test_language_model import Hub, HubHandler
from tinyemo_data.errors import CheckpointError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.checkpoint import save_checkpoint, trained_from
from tinyemo_data.projector.model import MetricProjector, initial_projector
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import train_ensemble
from tinyemo_data.projector.weights import find_weights, import_weights, read_weights
from tinyemo_data.store import Store

NAME = "TinyEmo-CLIP-OpenELM-270M-Syn"


@pytest.fixture
def projector() -> MetricProjector:
    return initial_projector(8, 12, 0.2, seed=7).eval()


def released(folder: Path, weights: Any, name: str = f"{NAME}.bin") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(weights, folder / name)
    return folder / name


@pytest.mark.parametrize("form", ["bin", "safetensors", "directory", "directory-of-another-config", "module", "half"])
def test_import_weights_takes_the_released_weights_in_any_form(
    projector: MetricProjector,
    prototypes: Prototypes,
    make_settings: MakeSettings,
    labelled: LabelledFeatures,
    tmp_path: Path,
    form: str,
) -> None:
    weights = projector.state_dict()
    folder = tmp_path / NAME
    location = released(folder, weights)
    if form == "safetensors":
        location = tmp_path / "weights.safetensors"
        save_file(weights, location)
    elif form.startswith("directory"):
        location = folder
        (folder / "README.md").write_text("a card")
        if form != "directory":
            (folder / "config.json").write_text('{"model_type": "projector"}')
    elif form == "module":
        location = released(folder, {f"module.{key}": value for key, value in weights.items()})
    elif form == "half":
        location = released(folder, {key: value.half() for key, value in weights.items()})
    ensemble = import_weights(str(location), prototypes, make_settings(temperature=0.2), feature_size=8)
    assert (ensemble.seeds, ensemble.temperature, ensemble.dimension) == ([0], 0.2, 8)
    with torch.no_grad():
        expected, found = projector(labelled.features), ensemble.projectors[0](labelled.features)
    torch.testing.assert_close(found, expected, atol=5e-3 if form == "half" else 0, rtol=0)


def test_import_weights_takes_a_checkpoint_of_ours_with_all_its_seeds(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    settings = make_settings(center_prototypes=True, temperature=0.3)
    trained = train_ensemble(labelled, prototypes, settings)
    save_checkpoint(store, trained.ensemble, settings, trained_from(labelled, trained, "vit", prototypes), {})
    location = str(store.path("models/projector"))
    assert import_weights(location, prototypes, make_settings()).digest == trained.ensemble.digest
    (Path(location) / "model-seed1.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="half-written or altered"):
        import_weights(location, prototypes, make_settings())


def test_import_weights_says_both_sizes_and_language_models_when_the_prototypes_do_not_fit(
    prototypes: Prototypes, make_settings: MakeSettings, tmp_path: Path
) -> None:
    path = released(tmp_path, MetricProjector(4, 1536).state_dict())
    with pytest.raises(CheckpointError, match=r"size 1536 \(the width of OpenELM-450M\).*random points have size 12"):
        import_weights(str(path), prototypes, make_settings())


def test_import_weights_says_both_sizes_when_the_features_do_not_fit(
    projector: MetricProjector, prototypes: Prototypes, make_settings: MakeSettings, tmp_path: Path
) -> None:
    path = released(tmp_path, projector.state_dict())
    with pytest.raises(CheckpointError, match=r"features of size 8, but this profile's encoder gives 768"):
        import_weights(str(path), prototypes, make_settings(), feature_size=768)


class RunsCode:
    """What a hostile pickle holds: it would write a file when it is read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize("form", ["zip", "legacy", "bare-pickle"])
def test_read_weights_refuses_a_pickle_that_runs_code(tmp_path: Path, form: str) -> None:
    path, written = tmp_path / "evil.bin", tmp_path / "written"
    hostile = {"model.0.weight": RunsCode(str(written))}
    if form == "bare-pickle":
        path.write_bytes(pickle.dumps(hostile))
    else:
        torch.save(hostile, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(CheckpointError, match=r"evil\.bin was refused.*can run code"):
        read_weights(path)
    assert not written.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([torch.zeros(2)], "found a list", id="a-list"),
        pytest.param({"state_dict": {"a": torch.zeros(2)}}, "'state_dict' is no tensor", id="nested"),
        pytest.param({"model.0.weight": torch.tensor([[float("nan")]])}, "holds NaN", id="nan"),
    ],
)
def test_read_weights_says_what_it_found_when_it_is_no_state_dict(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read_weights(released(tmp_path, content))


@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 10, 0.5, -5], ids=["empty", "ten-bytes", "half", "all-but-five-bytes"])
def test_read_weights_refuses_a_cut_file(projector: MetricProjector, tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".bin":
        torch.save(projector.state_dict(), path)
    else:
        save_file(projector.state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else int(kept)])
    with pytest.raises(CheckpointError, match=f"cut{suffix}"):
        read_weights(path)


@pytest.mark.parametrize("location", ["no/such/folder/x.bin", "a.safetensors", "org/model.bin", "", "/absent"])
def test_find_weights_says_what_may_be_given_when_nothing_is_there(location: str) -> None:
    with pytest.raises(CheckpointError, match=r"Set projector\.checkpoint to"):
        find_weights(location)


def test_find_weights_names_them_when_a_directory_holds_several(tmp_path: Path) -> None:
    for name in ("a.bin", "b.bin"):
        released(tmp_path, {}, name)
    with pytest.raises(CheckpointError, match=r"expected one .*found a\.bin, b\.bin"):
        find_weights(str(tmp_path))


class ListingHandler(HubHandler):
    """Also lists a repository's files."""

    def answer(self, with_body: bool) -> None:
        repository, _, rest = self.path.removeprefix("/api/models/").partition("/tree/")
        folder = self.server.root / repository
        if not rest or not folder.is_dir():
            return super().answer(with_body)
        self.server.asked.append(f"{self.command} {self.path}")
        files = [{"type": "file", "path": file.name, "size": 1, "oid": "0" * 40} for file in sorted(folder.iterdir())]
        content = json.dumps(files).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None


FIND = """
import json, sys
from tinyemo_data.errors import CheckpointError
from tinyemo_data.projector.weights import find_weights
for location in sys.argv[1:]:
    try:
        print(json.dumps(str(find_weights(location))))
    except CheckpointError as error:
        print(json.dumps(f"refused: {error}"))
"""


@dataclass(frozen=True)
class Found:
    """What a fresh process found at each location of a hub, and what it asked the hub."""

    told: dict[str, str]
    asked: list[str]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Ask a local server that speaks the hub's protocol through the real client."""
    root = tmp_path_factory.mktemp("hub")
    weights = initial_projector(8, 12, 0.2, seed=7).state_dict()
    for folder, name in ((root / "org" / NAME, f"{NAME}.bin"), (root / "org" / "Other", "projector.bin")):
        released(folder, weights, name)
        (folder / "README.md").write_text("a card")
        (folder / "extra.npz").write_bytes(b"not wanted")
    server = Hub(root)
    server.RequestHandlerClass = ListingHandler
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        cache = tmp_path_factory.mktemp("cache")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(cache)}
        environment |= {"HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_TELEMETRY": "1"}
        locations = [f"org/{NAME}", "org/Other", "org/absent"]
        command = [sys.executable, "-c", FIND, *locations]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        yield Found(dict(zip(locations, map(json.loads, done.stdout.splitlines()), strict=True)), server.asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("repository", "name"), [(NAME, f"{NAME}.bin"), ("Other", "projector.bin")])
def test_find_weights_downloads_the_one_weights_file_of_a_hub_repository(
    found: Found, repository: str, name: str
) -> None:
    path = Path(found.told[f"org/{repository}"])
    assert path.name == name
    torch.testing.assert_close(read_weights(path), dict(initial_projector(8, 12, 0.2, seed=7).state_dict()))
    gets = [line for line in found.asked if line.startswith(f"GET /org/{repository}/resolve/")]
    assert {line.rpartition("/")[2] for line in gets} <= {name, f"{repository}.bin"}


def test_find_weights_says_how_to_get_at_them_when_the_hub_has_no_such_repository(found: Found) -> None:
    told = found.told["org/absent"]
    assert told.startswith("refused: There is no local 'org/absent'")
    assert "HTTP 401" in told and "HF_TOKEN" in told and "hf_secret" not in told
