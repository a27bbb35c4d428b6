"""The statistics of a dataset's pictures as a table beside their features."""

import io
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.manifest import features_folder
from tinyemo_data.features.statistics import PictureStatistics
from tinyemo_data.store import Store

SCHEMA = pl.Schema(
    {
        "sha256": pl.String(),
        "brightness": pl.Float64(),
        "colourfulness": pl.Float64(),
        "dominant_colours": pl.List(pl.Struct({"colour": pl.String(), "share": pl.Float64()})),
    }
)


def statistics_key(slug: str, dataset: str) -> str:
    """Return the store key of a dataset's picture statistics."""
    return f"{features_folder(slug, dataset)}/statistics.parquet"


def statistics_frame(sha256: list[str], statistics: list[PictureStatistics]) -> pl.DataFrame:
    """Lay statistics beside the digests of their pictures."""
    rows = [
        {
            "sha256": digest,
            "brightness": picture.brightness,
            "colourfulness": picture.colourfulness,
            "dominant_colours": [{"colour": colour, "share": share} for colour, share in picture.dominant_colours],
        }
        for digest, picture in zip(sha256, statistics, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def write_statistics(store: Store, slug: str, dataset: str, samples: pl.DataFrame, statistics: pl.DataFrame) -> None:
    """Write one row a sample (`sample_id`, `sha256` in `samples`), in their order, with checksummed pages."""
    table = samples.select("sample_id", "sha256").join(statistics, on="sha256", how="left", maintain_order="left")
    buffer = io.BytesIO()
    pq.write_table(table.to_arrow(), buffer, compression="zstd", write_page_checksum=True)
    store.write_bytes(statistics_key(slug, dataset), buffer.getvalue())


def read_statistics(store: Store, slug: str, dataset: str) -> pl.DataFrame:
    """Read `sample_id`, `sha256`, `brightness` (0–1), `colourfulness` and `dominant_colours`, by picture.

    Raises FeatureError where the table is absent (released features have none) or damaged.
    """
    key = statistics_key(slug, dataset)
    if not store.exists(key):
        raise FeatureError(
            f"{store.path(key)} is not there: materialize features/{dataset} from pictures "
            "(released features bring no statistics)."
        )
    try:
        with store.open(key) as file:
            table: Any = pl.from_arrow(pq.read_table(file, page_checksum_verification=True))
        return pl.DataFrame(table).select(
            pl.col("sample_id"), *(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        )
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as exc:
        raise FeatureError(
            f"{store.path(key)} is damaged ({exc}). Materialize features/{dataset} again: it is made anew."
        ) from exc
