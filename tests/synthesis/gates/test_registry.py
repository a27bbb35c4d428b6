import inspect
import re

import polars as pl
import pytest

from tests.synthesis.gates.judged import GOOD, candidate, verdicts
from tinyemo_data.synthesis.gates.limits import DEFAULT
from tinyemo_data.synthesis.gates.registry import GATES, RECORD_GATES, gates_passed
from tinyemo_data.synthesis.prompt import prompt_ids


def test_every_gate_has_a_name_of_its_own_and_one_sentence() -> None:
    assert len({gate.name for gate in GATES}) == len(GATES)
    assert all(re.fullmatch(r"[a-z_]+", gate.name) for gate in GATES)
    assert all(gate.keeps_out and "." not in gate.keeps_out for gate in GATES)


def test_every_reason_is_given_by_one_gate_alone() -> None:
    reasons = [reason for gate in RECORD_GATES for reason in (gate.find(DEFAULT) if gate.find else ())]
    assert len(set(reasons)) == len(reasons)
    assert all(re.fullmatch(r"[a-z0-9_]+", reason) for reason in reasons)


def test_every_gate_says_what_it_keeps_out() -> None:
    assert all(gate.find is None or inspect.getdoc(gate.find) for gate in GATES)


def test_the_first_gate_that_finds_something_gives_the_verdict() -> None:
    bad = candidate(f"{GOOD} As an AI, see www.example.com for joy.", human="<image>")
    assert verdicts([bad])[0][0] == "image_token"
    ((gate, _, _),) = verdicts([candidate(f"{GOOD} As an AI, see www.example.com for joy.")])
    assert gate == "private_strings"


def test_verdicts_of_rows_do_not_depend_on_their_neighbours() -> None:
    rows = [candidate(), candidate("too short"), candidate(f"{GOOD} As an AI."), candidate(), candidate(turns=[])]
    assert verdicts(rows) == [verdicts([row])[0] for row in rows]
    assert verdicts([]) == []


@pytest.mark.parametrize("prompt", prompt_ids())
def test_gates_passed_are_those_that_apply_before_the_one_that_rejects(prompt: str) -> None:
    names = [gate.name for gate in GATES if gate.prompts is None or prompt in gate.prompts]
    assert gates_passed(prompt, None) == names
    assert gates_passed(prompt, "failed_request") == []
    assert gates_passed(prompt, "near_duplicate") == names[:-1]


def test_no_check_costs_a_failure_on_a_row_of_nulls() -> None:
    row = candidate() | {"emotion": None, "taxonomy": None, "known": "{}", "question": None}
    looked = verdicts([row])
    assert isinstance(pl.DataFrame(looked, orient="row"), pl.DataFrame)
    assert looked == [(None, None, None)]
