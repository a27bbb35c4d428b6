import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.graph_contract import PROFILES, SNAPSHOT, describe

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("profile", PROFILES)
def test_graph_is_the_one_that_users_were_promised(profile: str) -> None:
    promised = json.loads(SNAPSHOT.read_text())[profile]
    assert describe(profile) == promised, "If the change is meant, run: make snapshot"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_asset_has_a_description_an_owner_kinds_and_a_code_version(profile: str) -> None:
    for key, asset in describe(profile)["assets"].items():
        assert asset["described"] and asset["owners"] and asset["kinds"] and asset["code_version"], key


def test_loading_the_code_location_imports_no_heavy_library() -> None:
    code = (
        "import sys, pipelines.definitions\n"
        "heavy = ('torch', 'transformers', 'open_clip', 'sklearn', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    assert run.stdout == "[]\n"
