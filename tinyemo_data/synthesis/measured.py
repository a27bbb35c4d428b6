"""What was measured of a set that lies in a store, judged."""

from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.diversity import TaskDiversity
from tinyemo_data.synthesis.funnel import read_funnel
from tinyemo_data.synthesis.judgement import Finding, judge_set
from tinyemo_data.synthesis.records import funnel_key


def read_findings(store: Store, name: str) -> list[Finding]:
    """Return what is found of a set by its counts and its diversity. Raises StoreError where it was not rendered."""
    return judge_set(read_funnel(store, name), read_diversity(store, name))


def read_diversity(store: Store, name: str) -> dict[str, TaskDiversity]:
    """Return the diversity of each task of a set. Raises StoreError where it was not measured by this version."""
    key = funnel_key(name)
    try:
        return {task: TaskDiversity(**values) for task, values in store.read_json(key)["diversity"].items()}
    except (KeyError, TypeError, AttributeError) as exc:
        path = store.path(key)
        raise StoreError(f"{path} holds no measurements of this version ({exc}). Make the set again.") from exc
