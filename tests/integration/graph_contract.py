"""The graph's contract as data: keys, dependencies, groups, owners, kinds, checks, jobs, of each profile.

`make snapshot` writes it to `graph_contract.json`; the test beside this file compares.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.definitions import build_defs
from tinyemo_data import settings

SNAPSHOT = Path(__file__).parent / "graph_contract.json"
PROFILES = sorted(path.stem for path in settings.PROFILES.glob("*.yaml"))


def describe(profile: str) -> dict[str, Any]:
    """Return the contract of one profile's graph."""
    defs = build_defs(settings.load(profile))
    graph = defs.resolve_asset_graph()
    return {
        "assets": {key.to_user_string(): _asset(graph.get(key)) for key in sorted(graph.get_all_asset_keys())},
        "checks": {check.to_user_string(): graph.get(check).blocking for check in sorted(graph.asset_check_keys)},
        "jobs": {
            job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
            for job in map(defs.resolve_job_def, _job_names(defs))
        },
    }


def _asset(node: Any) -> dict[str, Any]:
    return {
        "deps": sorted(key.to_user_string() for key in node.parent_keys),
        "group": node.group_name,
        "owners": sorted(node.owners),
        "kinds": sorted(tag.removeprefix("dagster/kind/") for tag in node.tags if tag.startswith("dagster/kind/")),
        "described": bool(node.description),
        "code_version": node.code_version,
    }


def _job_names(defs: dg.Definitions) -> list[str]:
    return sorted(job.name for job in defs.jobs or [])


def contract() -> dict[str, Any]:
    """Return the contract of every profile."""
    return {profile: describe(profile) for profile in PROFILES}


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(contract(), indent=1, sort_keys=True) + "\n")
