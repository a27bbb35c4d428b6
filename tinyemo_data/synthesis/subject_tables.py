"""Sample tables a row group at a time, and the statistics of their pictures beside them."""

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import FeatureError, TableError
from tinyemo_data.features.statistics_table import SCHEMA, statistics_key
from tinyemo_data.sample import Sample, check_ids, samples_key
from tinyemo_data.sample_reading import scan_table
from tinyemo_data.store import Store

ROWS = 8_192
WHICH = ("sample_id", "source_kind", "split", "sha256")  # decides which pictures are subjects
WHAT = (*WHICH, "dataset", "image_path", "width", "height", "emotion", "taxonomy", "label_source", "keyword", "valence",
        "arousal", "object", "attributes")  # fmt: skip
MEASURED = pl.Schema({"sample_id": pl.String(), **SCHEMA})


def read_parts(store: Store, dataset: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield columns of a dataset's Sample table a row group at a time, in order; words of an Enum as text.

    Raises StoreError where it is absent or no Parquet, TableError where a column is missing or of another type, or the
    rows are not in order.
    """
    key = samples_key(dataset)
    types = {name: kind for name, kind in Sample.create_empty().schema.items() if name in columns}
    types = {name: pl.String() if isinstance(kind, pl.Enum) else kind for name, kind in types.items()}
    origin = str(store.path(key))
    for table in check_ids(scan_table(store, key, columns), origin):
        try:
            yield table.select(columns).cast(types)  # type: ignore[arg-type]
        except pl.exceptions.PolarsError as exc:
            raise TableError(
                f"{origin}: its column types are not those of Sample: {exc}. Materialize its asset again."
            ) from exc


def with_statistics(tables: Iterator[pl.DataFrame], store: Store, encoder: str, dataset: str) -> Iterator[pl.DataFrame]:
    """Add brightness, colourfulness and dominant colours; null where a picture has none, or has other bytes now.

    Raises FeatureError where the statistics are damaged or not in the order of `sample_id`.
    """
    statistics = _read_statistics(store, encoder, dataset)
    ahead = pl.DataFrame(schema=MEASURED)  # read, and not yet joined
    for table in tables:
        last = table["sample_id"].last()
        while len(table) and (not len(ahead) or ahead["sample_id"][-1] < last):
            following = next(statistics, None)
            if following is None:
                break
            ahead = pl.concat([ahead, following])
        yield table.join(ahead, on=["sample_id", "sha256"], how="left", maintain_order="left")
        if len(table):
            ahead = ahead.filter(ahead["sample_id"] > last)


def _read_statistics(store: Store, encoder: str, dataset: str) -> Iterator[pl.DataFrame]:
    """Yield the statistics of a dataset's pictures; nothing where there are none (released features)."""
    key = statistics_key(encoder, dataset)
    if not store.exists(key):
        return
    again = f"Materialize features/{dataset} again: it is made anew."
    try:
        yield from check_ids(_read_batches(store, key), str(store.path(key)))
    except TableError as exc:
        raise FeatureError(f"{store.path(key)} is not in the order of sample_id. {again}") from exc
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as exc:
        raise FeatureError(f"{store.path(key)} is damaged ({exc}). {again}") from exc


def _read_batches(store: Store, key: str) -> Iterator[pl.DataFrame]:
    with store.open(key) as opened, pq.ParquetFile(opened, page_checksum_verification=True) as file:
        for batch in file.iter_batches(ROWS, columns=MEASURED.names()):
            yield pl.DataFrame(pl.from_arrow(batch)).select(MEASURED.names()).cast(dict(MEASURED))  # type: ignore[arg-type]
