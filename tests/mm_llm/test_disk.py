"""A disk that is full, or another run's leavings on it: one message, and nothing that was there is lost."""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.mm_llm.conftest import changed
from tests.mm_llm.test_stage import losses, run
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.checkpoints import STATE, complete_checkpoints
from tinyemo_data.mm_llm.materialize import compose_parts, finetune, prepare_data, pretrain
from tinyemo_data.mm_llm.patch_features import check_feature_room
from tinyemo_data.mm_llm.saving import read_manifest, save_model
from tinyemo_data.mm_llm.stage import train_stage
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write more than `size` bytes into any file, as a full disk refuses."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


@pytest.mark.parametrize("size", [1000, 150_000], ids=["first-file", "optimizer"])
def test_full_disk_at_a_checkpoint_is_one_message_and_the_run_goes_on_from_the_last_whole_one(
    size: int, store: Store, planted: Settings, tmp_path: Path
) -> None:
    settings = changed(planted, evaluations=4)
    _, expected = run(store, settings, "finetune", tmp_path / "whole")
    whole = compose_parts(settings)
    data = prepare_data(store, settings, whole, "finetune")
    told: list[str] = []

    def fill_up(progress: Any) -> None:
        told.append(progress.detail)
        if len(told) == 5:  # the checkpoint of step 4 is there
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    with (
        files_of_at_most(resource.RLIM_INFINITY),
        pytest.raises(MMLLMError, match=r"The checkpoint of step 6 can't be written to .*goes on from the last"),
    ):
        train_stage(whole, data, "finetune", settings.mm_llm, tmp_path / "run", "identity", lambda _: fill_up)
    _, course = run(store, settings, "finetune", tmp_path / "run")
    assert course.resumed_at == 3
    assert losses(course) == losses(expected)


def test_full_disk_at_the_end_leaves_the_model_that_was_there(store: Store, planted: Settings) -> None:
    made = pretrain(store, planted)
    before = read_manifest(store, "pretrain")
    whole = compose_parts(planted)
    with (
        files_of_at_most(2000),
        pytest.raises(MMLLMError, match=r"The model can't be written to .*pretrained .*untouched"),
    ):
        save_model(whole, store, "pretrain", {"identity": "x"})
    assert read_manifest(store, "pretrain") == before == made.manifest
    assert sorted(path.name for path in Path(store.url, "models/mm_llm").iterdir()) == ["pretrained"]


def test_full_file_system_at_the_end_is_the_same_message(store: Store, planted: Settings, tmp_path: Path) -> None:
    whole = compose_parts(planted)
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(MMLLMError, match=r"The model can't be written to .*No space left on device"):
            save_model(whole, Store(place / "store"), "pretrain", {"identity": "x"})
        assert not list(place.rglob("*.json"))
    finally:
        subprocess.run(["umount", place], check=True)


def test_disk_without_room_is_told_before_anything_is_trained(
    store: Store, planted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(store.url)._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MMLLMError, match=r"has 0\.0 GB free; checkpoints and the model take up to 0\.1 GB"):
        pretrain(store, planted)
    with pytest.raises(MMLLMError, match=r"the patch features take .*mm_llm\.cached_features to false"):
        check_feature_room(Path(store.url), 10**9)


def test_checkpoint_of_another_backbone_is_refused(store: Store, planted: Settings, tmp_path: Path) -> None:
    run(store, planted, "finetune", tmp_path / "work")
    wider = tmp_path / "wider"
    shutil.copytree(planted.mm_llm.language_model or "", wider)
    config = orjson.loads((wider / "config.json").read_bytes())
    import transformers

    kind: Any = transformers.LlamaForCausalLM
    kind(transformers.LlamaConfig.from_dict({**config, "intermediate_size": 80})).save_pretrained(wider)
    with pytest.raises(MMLLMError, match=r"checkpoint-\d+ is of another run: other parts"):
        run(store, changed(planted, language_model=str(wider)), "finetune", tmp_path / "work")


def test_checkpoint_of_other_updates_is_refused(store: Store, planted: Settings, tmp_path: Path) -> None:
    run(store, planted, "finetune", tmp_path / "work")
    with pytest.raises(MMLLMError, match="is of another run"):
        run(store, planted, "finetune", tmp_path / "work", finetune={"batch_size": 2})


def test_half_written_checkpoint_is_passed_over(store: Store, planted: Settings, tmp_path: Path) -> None:
    settings = changed(planted, evaluations=4, checkpoints_kept=4)
    _, course = run(store, settings, "finetune", tmp_path / "work")
    *_, earlier, last = complete_checkpoints(tmp_path / "work")
    (last / STATE).write_text('{"epoch": 1.')
    _, again = run(store, settings, "finetune", tmp_path / "work")
    assert again.resumed_at == int(earlier.name.removeprefix("checkpoint-"))
    assert losses(again) == losses(course)


def test_damaged_checkpoint_names_its_file(store: Store, planted: Settings, tmp_path: Path) -> None:
    run(store, planted, "finetune", tmp_path / "work")
    (complete_checkpoints(tmp_path / "work")[-1] / "trained.safetensors").write_bytes(b"damaged")
    with pytest.raises(MMLLMError, match=r"The checkpoint .*checkpoint-\d+ can't be read .*Delete it"):
        run(store, planted, "finetune", tmp_path / "work")


def test_stage_2_without_stage_1_says_what_to_materialize(store: Store, planted: Settings) -> None:
    from tinyemo_data.errors import StoreError

    with pytest.raises(StoreError, match=r"holds no whole model: materialize mm_llm/pretrained first"):
        finetune(store, planted)
    pretrain(store, planted)
    Path(store.url, "models/mm_llm/pretrained/model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"holds no whole model: materialize mm_llm/pretrained first"):
        finetune(store, planted)
