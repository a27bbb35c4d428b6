"""Renders one set again and again, two ways by turns, until a test kills it.

python -m tests.synthesis.render_and_die STORE SET
"""

import sys
from itertools import cycle

from tests.synthesis.replied import answer, drafts_of, lookup
from tinyemo_data.store import Store
from tinyemo_data.synthesis.rendering import render_set

QUOTAS = (1, 2)


def main() -> None:
    store, name = Store(sys.argv[1]), sys.argv[2]
    replies = lookup(answer(drafts_of(store, name)))
    for quota in cycle(QUOTAS):
        render_set(store, name, replies, quota=quota)
        sys.stdout.write("rendered\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
