"""The page beside the exports: which file is for which stage, template and flags, and what the linter looks for."""

from pathlib import Path

from tinyemo_data.store import Store
from tinyemo_data.synthesis.export.rulebook import RULES

PAGE = Path(__file__).with_name("guide.md")
KEY = "exports/README.md"
RULES_HERE = "{rules}"


def write_guide(store: Store) -> None:
    """Write `exports/README.md`; the same page whichever set was exported."""
    store.write_bytes(KEY, guide().encode())


def guide() -> str:
    """Return the page, with the linter's rules as a table."""
    rows = [f"| `{name}` | {rule.expected} | {rule.otherwise} |" for name, rule in RULES.items()]
    table = "\n".join(["| rule | expected | otherwise |", "|---|---|---|", *rows])
    return PAGE.read_text(encoding="utf-8").replace(RULES_HERE, table)
