"""Publishing through the real client of the Hub, to a Hub on this machine."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.hub.hub_server import TOKEN, Blob, Fault, LocalHub, Repo
from tests.hub.world import fill_projector, make_settings
from tests.synthesis.export.records import write_records
from tinyemo_data.errors import HubError, LicenceError, StagingError
from tinyemo_data.hub.files import read_manifest, staged_paths
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.publishing import Publication, check_staged, publish
from tinyemo_data.hub.receipts import read_receipts
from tinyemo_data.hub.repository import Repository, repository_of
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import HubSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import read_records

NAME, ID = "tinyemo-pretrain", "somebody/tinyemo-pretrain"
SHARDS = 4


@pytest.fixture(scope="module")
def made_world(made_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world in which the pretraining set is staged, in four shards."""
    folder = tmp_path_factory.mktemp("staged") / "world"
    shutil.copytree(made_world, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinyemo_data.hub.shards.MOST_ROWS", 10)
        settings = make_settings(folder)
        stage_set(Store(settings.store), settings, "pretrain")
    return folder


@pytest.fixture
def staged(world: Settings, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The staged pretraining set."""
    monkeypatch.setattr("tinyemo_data.hub.shards.MOST_ROWS", 10)
    return repository_of("pretrain", world.hub)


def stage_again_without(store: Store, world: Settings, record: str) -> None:
    rows = [row for row in read_records(store, "pretrain").to_dicts() if row["record_id"] != record]
    write_records(store, "pretrain", rows)
    stage_set(store, world, "pretrain")


def digests(store: Store, repository: Repository) -> dict[str, str]:
    return {path: store.digest(f"{repository.folder}/{path}") for path in staged_paths(store, repository.folder)}


def on_the_hub(hub: LocalHub, name: str = NAME, ref: str = "main") -> dict[str, str]:
    repo = hub.state.only(name)
    return {path: blob.sha256 for path, blob in repo.commits[repo.refs[ref]].items() if path != ".gitattributes"}


def test_publish_makes_a_private_repository_with_every_file_in_one_commit(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    done = publish(store, staged, world.hub, run="run-7")
    repo = hub.state.only(NAME)
    assert repo.private and len(repo.commits) == 2  # the Hub's own first one, and ours
    assert on_the_hub(hub) == digests(store, staged)
    assert done.commit == repo.refs["main"] and done.url == f"{hub.url}/datasets/{ID}/tree/{done.commit}"
    assert sorted(done.sent) == sorted(digests(store, staged)) and done.unchanged == 0
    assert "run-7" in repo.messages[-1] and TOKEN not in str(done)
    assert len(hub.state.uploads()) == SHARDS


def test_publish_sends_nothing_when_nothing_was_changed(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    first = publish(store, staged, world.hub)
    hub.state.log.clear()
    again = publish(store, staged, world.hub)
    assert (again.commit, again.sent, again.deleted) == (first.commit, [], [])
    assert again.unchanged == len(first.sent)
    assert hub.state.asked("PUT") == [] and hub.state.asked("POST", "commit|preupload|batch|items") == []
    assert len(read_receipts(store, NAME)) == 1


def test_publish_sends_the_one_shard_that_changed_and_what_speaks_of_it(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    publish(store, staged, world.hub)
    hub.state.log.clear()
    stage_again_without(store, world, read_records(store, "pretrain")["record_id"][0])
    done = publish(store, staged, world.hub)
    assert len(hub.state.uploads()) == 1
    assert [path for path in done.sent if path.startswith("data/")] and len(done.sent) == 4
    assert {path for path in done.sent if not path.startswith("data/")} == {
        "README.md", "croissant.json", "manifest.json",
    }  # fmt: skip
    assert on_the_hub(hub) == digests(store, staged)
    assert [receipt.commit for receipt in read_receipts(store, NAME)][-1] == done.commit


def test_publish_takes_away_what_an_earlier_revision_of_ours_held_and_nothing_else(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, staged, world.hub)
    repo = hub.state.only(NAME)
    theirs = Blob(b"what somebody wrote on the Hub", False)
    repo.commit("main", {**repo.commits[repo.refs["main"]], "NOTES.md": theirs})
    monkeypatch.setattr("tinyemo_data.hub.shards.MOST_ROWS", 1_000)
    stage_set(store, world, "pretrain")
    done = publish(store, staged, world.hub)
    assert done.deleted == [f"data/train-0000{number}-of-00004.parquet" for number in range(SHARDS)]
    assert on_the_hub(hub) == {**digests(store, staged), "NOTES.md": theirs.sha256}


def test_publish_refuses_a_repository_in_which_others_keep_their_records(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    publish(store, staged, world.hub)
    repo = hub.state.only(NAME)
    files = {**repo.commits[repo.refs["main"]], "data/train-extra.parquet": Blob(b"theirs", True)}
    head = repo.commit("main", files)
    with pytest.raises(HubError, match=r"holds data/train-extra\.parquet, which this project did not publish"):
        publish(store, staged, world.hub)
    assert repo.refs["main"] == head


def test_interrupted_publishing_goes_on_where_it_was_killed(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, tmp_path: Path
) -> None:
    hub.state.slow_put, hub.state.put_from = 30.0, 3
    command = [sys.executable, "-m", "tests.hub.publish_here", world.store]
    process = subprocess.Popen(command, env={**os.environ, "HF_HOME": str(tmp_path / "home")})
    deadline = time.monotonic() + 60
    while (len(hub.state.objects) < 2 or len(hub.state.uploads()) < 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = set(hub.state.objects)
    assert len(before) == 2 and on_the_hub(hub) == {}  # nothing shows
    hub.state.log.clear()
    hub.state.slow_put = 0.0
    publish(store, staged, world.hub)
    assert len(hub.state.uploads()) == SHARDS - 2 and not set(hub.state.uploads()) & before
    assert on_the_hub(hub) == digests(store, staged)


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("POST", "repos/create", 401, r"HTTP 401 .* does not know this token\. Set HF_TOKEN"),
        ("POST", "repos/create", 403, r"HTTP 403 .* this token may not do that\. Give it write access"),
        ("POST", "/preupload/", 403, r"HTTP 403 .*hub\.namespace"),
        ("POST", "objects/batch", 403, r"HTTP 403 .*hub\.namespace"),
        ("PUT", "^/lfs/", 500, r"HTTP 500 .* trouble of its own"),
        ("PUT", "^/lfs/", 507, r"HTTP 507 .* no space left"),
        ("POST", "/commit/", 409, r"HTTP 409 .* something else is being done"),
        ("POST", "/commit/", 412, r"HTTP 412 .* committed to the repository at the same moment"),
        ("POST", "/commit/", 429, r"HTTP 429 .* asked too often"),
        ("GET", "/tree/", 429, r"HTTP 429 .* asked too often"),
        ("POST", "/commit/", 503, r"HTTP 503 .* trouble of its own"),
        ("POST", "repos/create", 500, r"HTTP 500 .* trouble of its own"),
        ("POST", "validate-yaml", 400, r"HTTP 400 .* malformed"),
    ],
)
def test_refusal_of_the_hub_is_one_clear_message_and_nothing_is_half_published(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, method: str, path: str, status: int, told: str
) -> None:
    earlier = {"README.md": Blob(b"an earlier revision", False)}
    hub.state.repos["datasets", ID] = repo = Repo(private=True)
    repo.commit("main", earlier)
    hub.state.faults.append(Fault(method, path, status, "the Hub's own words"))
    with pytest.raises(HubError, match=told) as caught:
        publish(store, staged, world.hub)
    assert TOKEN not in str(caught.value) and "http" not in str(caught.value).replace("HTTP", "")
    assert "\n" not in str(caught.value)
    assert repo.commits[repo.refs["main"]] == earlier and read_receipts(store, NAME) == []


def test_publish_goes_through_once_the_hub_no_longer_refuses(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    hub.state.faults.append(Fault("POST", "/commit/", 503, times=1))
    with pytest.raises(HubError):
        publish(store, staged, world.hub)
    uploaded = hub.state.uploads()
    publish(store, staged, world.hub)
    assert on_the_hub(hub) == digests(store, staged)
    assert hub.state.uploads() == uploaded  # nothing is sent twice


@pytest.mark.parametrize("status", [429, 503])
def test_passing_trouble_of_an_upload_is_waited_out(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, status: int
) -> None:
    hub.state.faults.append(Fault("PUT", "^/lfs/", status, times=2))
    publish(store, staged, world.hub)
    assert on_the_hub(hub) == digests(store, staged)


def test_publish_says_so_when_the_hub_can_t_be_reached(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"can't be reached to publish somebody/tinyemo-pretrain"):
        publish(store, staged, world.hub)


def test_publish_does_not_wait_for_ever_for_an_answer(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyemo_data.hub.client.SECONDS", 0.3)
    hub.state.slow_put, hub.state.put_from = 5.0, 1
    with pytest.raises(HubError, match=r"can't be reached to publish .* \(\w*Timeout\w*\)"):
        publish(store, staged, world.hub)
    assert on_the_hub(hub) == {}


def test_publish_needs_a_token_from_the_environment(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="HF_TOKEN is not set"):
        publish(store, staged, world.hub)
    assert hub.state.log == []


def test_wrong_token_is_told_as_such(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_anothertokenanothertoken")
    with pytest.raises(HubError, match=r"HTTP 401 .*Its own words: Invalid credentials") as caught:
        publish(store, staged, world.hub)
    assert "hf_another" not in str(caught.value)


def test_commit_is_refused_when_somebody_committed_since_it_was_looked_at(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, staged, world.hub)
    stage_again_without(store, world, read_records(store, "pretrain")["record_id"][0])
    repo = hub.state.only(NAME)

    def commit_in_between(*_: object) -> list[str]:
        repo.commit("main", {**repo.commits[repo.refs["main"]], "NOTES.md": Blob(b"in between", False)})
        return []

    monkeypatch.setattr("tinyemo_data.hub.publishing.published_paths", commit_in_between)
    with pytest.raises(HubError, match="HTTP 412"):
        publish(store, staged, world.hub)
    assert on_the_hub(hub)["NOTES.md"] == Blob(b"in between", False).sha256


def test_lost_answer_to_a_commit_is_not_committed_twice(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    publish(store, staged, world.hub)
    commits = len(hub.state.only(NAME).commits)
    store.remove(f"published/{NAME}.json")  # as if the answer had been lost
    done = publish(store, staged, world.hub)
    assert done.sent == [] and len(hub.state.only(NAME).commits) == commits


def test_publish_refuses_a_public_repository_when_it_is_to_be_private(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    publish(store, staged, world.hub.model_copy(update={"private": False}))
    assert not hub.state.only(NAME).private
    with pytest.raises(HubError, match=r"is public on the Hub, and hub\.private is true"):
        publish(store, staged, world.hub)


def test_pull_request_is_opened_once_and_main_stays_as_it_was(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    asked = world.hub.model_copy(update={"pull_request": True, "tag": "v1"})
    first = publish(store, staged, asked)
    again = publish(store, staged, asked)
    repo = hub.state.only(NAME)
    assert on_the_hub(hub) == {} and on_the_hub(hub, ref="refs/pr/1") == digests(store, staged)
    assert first.pull_request == f"{hub.url}/datasets/{ID}/discussions/1" == first.url
    assert again.sent == [] and again.pull_request is not None and again.pull_request.endswith("/discussions/1")
    assert len(repo.requests) == 1 and repo.tags == {}


def test_tag_names_the_published_commit_and_is_never_moved(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    tagged = world.hub.model_copy(update={"tag": "v1.0"})
    done = publish(store, staged, tagged)
    assert hub.state.only(NAME).tags == {"v1.0": done.commit}
    publish(store, staged, tagged)
    stage_again_without(store, world, read_records(store, "pretrain")["record_id"][0])
    hub.state.log.clear()
    with pytest.raises(HubError, match=r"has a tag v1\.0 already, of other content"):
        publish(store, staged, tagged)
    assert hub.state.asked("PUT") == [] and hub.state.only(NAME).tags == {"v1.0": done.commit}


def test_repositories_are_grouped_in_one_collection(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    projector = stage_projector(store, world).repository
    for repository in (staged, projector, staged):
        publish(store, repository, world.hub)
    (collection,) = hub.state.collections.values()
    assert (collection["title"], collection["private"]) == ("TinyEmo", True)
    assert [(item["type"], item["id"]) for item in collection["items"]] == [
        ("dataset", ID), ("model", "somebody/tinyemo-projector"),
    ]  # fmt: skip


def test_collection_that_can_t_be_made_is_noted_and_the_commit_stands(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    hub.state.faults.append(Fault("POST", "/api/collections", 403))
    done = publish(store, staged, world.hub)
    assert on_the_hub(hub) == digests(store, staged)
    assert len(done.notes) == 1 and "HTTP 403 when asked to group in a collection" in done.notes[0]
    hub.state.faults.clear()
    assert publish(store, staged, world.hub).notes == [] and hub.state.collections


def test_receipt_keeps_what_was_published_when_and_by_which_run(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    done = publish(store, staged, world.hub, run="run-7")
    (receipt,) = read_receipts(store, NAME)
    assert (receipt.commit, receipt.url, receipt.run, receipt.private) == (done.commit, done.url, "run-7", True)
    assert receipt.manifest_sha256 == store.digest(f"{staged.folder}/manifest.json")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]+\+00:00", receipt.at)


def refuse(store: Store, repository: Repository, hub: HubSettings, running: LocalHub, match: str) -> None:
    with pytest.raises(LicenceError, match=match):
        publish(store, repository, hub)
    assert running.state.log == []


def test_set_made_through_an_api_stays_staged_until_its_terms_are_acknowledged(
    store: Store, world: Settings, hub: LocalHub
) -> None:
    rows = read_records(store, "hq").to_dicts()
    write_records(store, "hq", [{**row, "generator": "anthropic"} for row in rows])
    repository = stage_set(store, world, "hq").repository
    refuse(store, repository, world.hub, hub, r"stays staged, in .*tinyemo-hq: It was made with the Anthropic API")
    done = publish(store, repository, world.hub.model_copy(update={"acknowledge_terms": True}))
    assert done.sent


def test_set_without_a_namespace_stays_staged(store: Store, world: Settings, staged: Repository, hub: LocalHub) -> None:
    refuse(store, staged, world.hub.model_copy(update={"namespace": None}), hub, r"set hub\.namespace")


def test_set_whose_contamination_is_not_known_stays_staged(store: Store, world: Settings, hub: LocalHub) -> None:
    store.remove("reports/leakage.json")
    repository = stage_set(store, world, "hq").repository
    refuse(store, repository, world.hub, hub, "Materialize leakage, then stage again")


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("photo.jpg", b"\xff\xd8\xff\xe0 a picture", r"photo\.jpg: a picture \(JPEG\)"),
        ("README.md", b"---\n---\nwrite to anna@example.org", r"README\.md, line 3: an e-mail address"),
    ],
)
def test_planted_file_is_refused_before_anything_is_asked_of_the_hub(
    store: Store, world: Settings, staged: Repository, hub: LocalHub, path: str, content: bytes, told: str
) -> None:
    store.write_bytes(f"{staged.folder}/{path}", content)
    refuse(store, staged, world.hub, hub, told)


def test_repository_that_was_edited_after_staging_is_refused(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    store.write_bytes(f"{staged.folder}/README.md", b"---\n---\nedited by hand")
    with pytest.raises(StagingError, match=r"README\.md was changed\. Stage it again"):
        publish(store, staged, world.hub)
    assert hub.state.log == []


def test_half_staged_repository_is_refused(store: Store, world: Settings, staged: Repository, hub: LocalHub) -> None:
    store.remove(f"{staged.folder}/manifest.json")
    with pytest.raises(StagingError, match="is no manifest of a staged repository"):
        publish(store, staged, world.hub)


@pytest.mark.parametrize("written", [0, 2, 5, 8, 10])
def test_staging_that_was_cut_short_is_refused_until_it_is_staged_again(
    store: Store, world: Settings, staged: Repository, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    rows = read_records(store, "pretrain").to_dicts()
    write_records(store, "pretrain", [{**row, "model": "rules-2"} for row in rows])
    whole, done = Store.writing, 0

    @contextmanager
    def cut_short(self: Store, key: str) -> Iterator[Path]:
        nonlocal done
        if done >= written:
            raise KeyboardInterrupt
        with whole(self, key) as aside:
            yield aside
        done += 1

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", cut_short)
        with pytest.raises(KeyboardInterrupt):
            stage_set(store, world, "pretrain")
    if written:
        with pytest.raises(StagingError, match="is not as it was staged"):
            check_staged(store, staged, world.hub)
    again = stage_set(store, world, "pretrain")
    assert "rules-2" in again.card and check_staged(store, staged, world.hub) == again.manifest


def test_repository_is_published_from_a_store_that_is_no_local_disk(
    store: Store, world: Settings, staged: Repository, hub: LocalHub
) -> None:
    remote = Store("memory://publishing")
    for path in staged_paths(store, staged.folder):
        remote.write_bytes(f"{staged.folder}/{path}", store.read_bytes(f"{staged.folder}/{path}"))
    publish(remote, staged, world.hub)
    assert on_the_hub(hub) == digests(store, staged)
    assert publish(remote, staged, world.hub).sent == []


def test_projector_is_published_as_a_model(store: Store, world: Settings, hub: LocalHub) -> None:
    fill_projector(store)
    done: Publication = publish(store, stage_projector(store, world).repository, world.hub)
    assert ("models", "somebody/tinyemo-projector") in hub.state.repos
    assert {"model.safetensors", "config.json", "README.md"} <= set(done.sent)
    manifest = orjson.loads(store.read_bytes("hub/tinyemo-projector/manifest.json"))
    assert read_manifest(store, "hub/tinyemo-projector").kind == "model" == manifest["kind"]


def test_repository_of_takes_its_name_from_the_settings() -> None:
    hub = HubSettings.model_validate({"namespace": "me", "repositories": {"hq": "mine"}})
    assert repository_of("hq", hub).id == "me/mine"
    assert repository_of("projector", hub).kind == "model"
