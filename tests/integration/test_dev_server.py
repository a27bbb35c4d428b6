"""The UI's server as `make dev` starts it: what a browser would be told, over GraphQL on the loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
LAUNCH = """
mutation ($selector: JobOrPipelineSelector!) {
  launchPipelineExecution(executionParams: {selector: $selector, mode: "default"}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start `dagster dev` on the demo with folders of its own; give the server's address."""
    folder = tmp_path_factory.mktemp("dev")
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "TINYEMO_PROFILE": "demo",
        "TINYEMO_RAW": str(folder / "raw"),
        "TINYEMO_STORE": str(folder / "store"),
        "TINYEMO_SAMPLE_CORPUS__PICTURES_PER_EMOTION": "4",
    }
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(address, process, folder / "log")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the server did not get ready: {log.read_text()}")


def ask(address: str, query: str, **variables: Any) -> dict[str, Any]:
    """Send a GraphQL query and return its data."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        content: dict[str, Any] = json.load(reply)
    assert "errors" not in content, content
    data: dict[str, Any] = content["data"]
    return data


def test_ui_shows_the_assets_of_the_demo_with_their_groups(server: str) -> None:
    nodes = ask(server, "{ assetNodes { assetKey { path } groupName description } }")["assetNodes"]
    groups = {"/".join(node["assetKey"]["path"]): node["groupName"] for node in nodes}
    assert groups["evaluation/classification"] == "evaluation"
    assert groups["features/emotion6"] == "features"
    assert all(node["description"] for node in nodes)


def test_run_launched_from_the_ui_reads_the_drawn_pictures(server: str) -> None:
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "pipelines.definitions",
        "jobName": "ingest",
    }
    launched = ask(server, LAUNCH, selector=selector)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    status = ""
    for _ in range(240):
        status = ask(server, RUN, id=launched["run"]["runId"])["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            break
        time.sleep(0.5)
    assert status == "SUCCESS"
    query = '{ assetOrError(assetKey: {path: ["samples", "emotion6"]}) { ... on Asset '
    query += (
        "{ assetMaterializations(limit: 1) { metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"
    )
    entries = ask(server, query)["assetOrError"]["assetMaterializations"][0]["metadataEntries"]
    counts = {entry["label"]: entry.get("intValue") for entry in entries}
    assert counts["dagster/row_count"] >= 6 * 4 - counts["quarantined"]
