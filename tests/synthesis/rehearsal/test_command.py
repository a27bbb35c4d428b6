"""`tinyemo rehearse`, from its start to its bill."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import anthropic
import pytest
from typer.testing import CliRunner

from tests.synthesis.rehearsal.talking import question
from tinyemo_data.synthesis.rehearsal.command import app
from tinyemo_data.synthesis.rehearsal.faults import Faults

PROJECT = Path(__file__).parents[3]
COMMAND = "from tinyemo_data.synthesis.rehearsal.command import app; app()"


def test_a_run_is_rehearsed_and_billed_at_the_end(tmp_path: Path) -> None:
    bill = tmp_path / "bill.jsonl"
    arguments = ["--port", "0", "--fault", "overloaded=nth:2", "--thinking", "0", "--bill-file", str(bill)]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert process.stdout is not None
    told = "".join(process.stdout.readline() for _ in range(7))
    found = re.search(r"export ANTHROPIC_BASE_URL=(\S+)\n\s+export ANTHROPIC_API_KEY=\w+", told)
    assert found is not None, told
    client = anthropic.Anthropic(base_url=found[1], api_key="any", max_retries=0)
    assert client.messages.create(**question()).content
    with pytest.raises(anthropic.OverloadedError):
        client.messages.create(**question())
    client.close()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert re.search(r"Would have been billed: \$0\.0\d+ for 1 replies to 1 different requests\.", rest)
    assert len(bill.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "overlaoded=0.1"], "Did you mean"),
        (["--fault", "overloaded=sometimes"], "expected a share"),
        (["--latency", "soon"], "expected seconds"),
        (["--requests-per-minute", "-5"], "greater than 0"),
    ],
    ids=["unknown fault", "no plan", "no latency", "no limit"],
)
def test_a_value_that_is_none_is_said(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert words in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split())


def test_all_faults_are_listed_with_what_they_do() -> None:
    result = CliRunner().invoke(app, ["--list-faults"])
    assert result.exit_code == 0
    for name, field in Faults.model_fields.items():
        assert field.description
        assert f"{name}:" in result.output
