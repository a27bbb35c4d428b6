"""Fills a cache as its own process and kills itself at a given operation on the store (run by test_resume).

python fill_and_die.py STORE SAMPLES ROOT SOURCE_KIND OPERATION MOMENT
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tinyemo_data.store import Store

ENCODER = "vit-l-14-quickgelu-openai"


def die_at(operation: int, moment: str) -> None:
    """Make the store kill this process around its n-th write or removal: before it, in its middle or after it."""
    count = 0
    write, remove = Store.writing, Store.remove

    def strike(now: str) -> None:
        if count == operation and now == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def writing(self: Store, key: str) -> Iterator[Path]:
        nonlocal count
        count += 1
        strike("before")
        with write(self, key) as aside:
            yield aside
            strike("torn")
        strike("after")

    def removing(self: Store, key: str) -> None:
        nonlocal count
        count += 1
        strike("before")
        remove(self, key)
        strike("after")

    setattr(Store, "writing", writing)  # noqa: B010
    setattr(Store, "remove", removing)  # noqa: B010


def main() -> None:
    """Fill, or die."""
    store, samples, root, source_kind, operation, moment = sys.argv[1:]
    table = pl.read_parquet(samples)
    die_at(int(operation), moment)
    if source_kind == "feature":
        from tinyemo_data.features import released

        released.BATCH = 4
        released.import_released_features(Store(store), table, Path(root), ENCODER)
        return
    from tinyemo_data.features.cache import fill_feature_cache
    from tinyemo_data.features.encoder import Encoder
    from tinyemo_data.settings import EncoderSettings

    encoder = Encoder(EncoderSettings(model="tinyemo-vit", batch_size=4, device="cpu"))
    fill_feature_cache(Store(store), table, Path(root), encoder)


if __name__ == "__main__":
    main()
