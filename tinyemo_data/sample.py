"""The Sample table: one row a picture (or a released feature of one), whatever dataset it came from.

The schema is declared once, here, and checked wherever a table is written or read. Paths below are
relative to the store: `samples/<dataset>.parquet` and `quarantine/<dataset>.parquet`.
"""

from collections.abc import Iterable, Iterator

import dataframely as dy
import polars as pl

from tinyemo_data.errors import TableError
from tinyemo_data.store import Store

SPLITS = ("train", "validation", "test")
SOURCE_KINDS = ("picture", "feature")
LABEL_SOURCES = ("votes", "distribution", "keyword", "folder", "dimensions")


class Sample(dy.Schema):
    """One picture: where it lies, what its bytes are, and what people or folders say it evokes."""

    sample_id = dy.String(primary_key=True, regex=r"^[a-z0-9]+/.+$", description="<dataset>/<image_path less suffix>")
    source_kind = dy.Enum(SOURCE_KINDS, nullable=False, description="a picture, or a released feature of one")
    dataset = dy.String(nullable=False, regex=r"^[a-z0-9]+$")
    split = dy.Enum(SPLITS, nullable=False)
    image_path = dy.String(nullable=False, regex=r"^[^/]", description="relative to the dataset's root, with /")
    sha256 = dy.String(nullable=False, regex=r"^[0-9a-f]{64}$", description="of the picture's or tensor's bytes")
    phash = dy.String(nullable=True, regex=r"^[0-9a-f]{16}$", description="64-bit DCT hash; null for features")
    width = dy.Int32(nullable=True, min=1, description="pixels, after EXIF rotation; null for features")
    height = dy.Int32(nullable=True, min=1)
    emotion = dy.String(nullable=True, description="canonical label in `taxonomy`; null: only dimensions")
    taxonomy = dy.String(nullable=True)
    label_source = dy.Enum(LABEL_SOURCES, nullable=False)
    votes = dy.List(
        dy.Struct({"emotion": dy.String(nullable=False), "votes": dy.Int32(nullable=False, min=0)}),
        nullable=True,
        description="annotators' votes an emotion",
    )
    distribution = dy.List(
        dy.Struct({"emotion": dy.String(nullable=False), "probability": dy.Float64(nullable=False, min=0, max=1)}),
        nullable=True,
        description="annotators' distribution over emotions",
    )
    keyword = dy.String(nullable=True, description="the search word that found the picture, where it is not the label")
    valence = dy.Float64(nullable=True, description="1 to 9 or as the dataset has it; null where it has none")
    arousal = dy.Float64(nullable=True)
    object = dy.String(nullable=True, description="UnbiasedEmo's object")
    attributes = dy.Struct(
        {
            "brightness": dy.Float64(nullable=True),
            "colorfulness": dy.Float64(nullable=True),
            "scene": dy.String(nullable=True),
            "object": dy.List(dy.String(), nullable=True),
            "facial_expression": dy.String(nullable=True),
            "human_action": dy.String(nullable=True),
        },
        nullable=True,
        description="EmoSet's annotated attributes",
    )

    @dy.rule()
    def a_label_comes_with_its_taxonomy(cls) -> pl.Expr:  # noqa: N805
        """Emotion and taxonomy are both there, or neither."""
        return pl.col("emotion").is_null() == pl.col("taxonomy").is_null()

    @dy.rule()
    def a_picture_has_a_size(cls) -> pl.Expr:  # noqa: N805
        """Pictures have width, height and hash; features have none of them."""
        has_size = pl.col("width").is_not_null() & pl.col("height").is_not_null() & pl.col("phash").is_not_null()
        has_none = pl.col("width").is_null() & pl.col("height").is_null() & pl.col("phash").is_null()
        return pl.when(pl.col("source_kind") == "picture").then(has_size).otherwise(has_none)


class Quarantined(dy.Schema):
    """One file that was kept apart, and why: nothing is dropped without a row here."""

    dataset = dy.String(nullable=False)
    path = dy.String(nullable=False, description="relative to the dataset's root, with /")
    reason = dy.String(nullable=False, regex=r"^[a-z0-9_]+$", description="machine-readable: truncated, tie, …")
    detail = dy.String(nullable=False, description="for people: what was found")


def samples_key(dataset: str) -> str:
    """Return the store key of a dataset's Sample table."""
    return f"samples/{dataset}.parquet"


def quarantine_key(dataset: str) -> str:
    """Return the store key of a dataset's quarantine."""
    return f"quarantine/{dataset}.parquet"


def check_table(table: pl.DataFrame, schema: type[dy.Schema], origin: str) -> pl.DataFrame:
    """Return `table` with the schema's columns in order; raise TableError naming `origin`, column, row and rule."""
    missing = [name for name in schema.column_names() if name not in table.columns]
    if missing:
        raise TableError(
            f"{origin}: column '{missing[0]}' is missing; {schema.__name__} expects "
            f"{', '.join(schema.column_names())}. Materialize its asset again with this version."
        )
    try:
        valid, failures = schema.filter(table, cast=True)
    except (dy.exc.SchemaError, pl.exceptions.PolarsError) as exc:
        raise TableError(f"{origin}: its column types are not those of {schema.__name__}: {exc}") from exc
    if len(failures):
        rule, count = max(failures.counts().items(), key=lambda item: item[1])
        row = failures.invalid().row(0, named=True)
        shown = {name: value for name, value in row.items() if value is not None}
        raise TableError(
            f"{origin}: {len(failures)} of {len(table)} rows break the schema of {schema.__name__}; "
            f"rule '{rule}' alone {count}. First such row: {shown}. Materialize its asset again."
        )
    return valid.select(schema.column_names())


def check_ids(tables: Iterable[pl.DataFrame], origin: str) -> Iterator[pl.DataFrame]:
    """Give the parts of a Sample table; raise TableError where an id is not after the one before it.

    Across parts this is what `check_table` can't see: that ids are unique, and the rows sorted by them.
    """
    last = ""
    for table in tables:
        ids = table["sample_id"]
        wrong = table.filter(ids <= ids.shift(1, fill_value=last))["sample_id"]
        if len(wrong):
            raise TableError(
                f"{origin}: '{wrong[0]}' comes twice or out of order; ids are unique and the rows sorted by them. "
                "Materialize its asset again."
            )
        last = ids[-1] if len(ids) else last
        yield table


def write_samples(store: Store, dataset: str, samples: pl.DataFrame, quarantine: pl.DataFrame) -> None:
    """Sort, check and write the tables of a dataset that is small enough to be in memory as a whole."""
    # Not at the top: what writes tables needs the schemas that are declared here.
    from tinyemo_data.sample_writing import write_sorted_samples

    write_sorted_samples(store, dataset, [samples.sort("sample_id")], [quarantine.sort("path", "reason")])


def read_samples(store: Store, dataset: str) -> pl.DataFrame:
    """Read and check a dataset's Sample table, sorted by `sample_id`. Raises StoreError or TableError."""
    key = samples_key(dataset)
    return check_table(store.read_table(key), Sample, str(store.path(key)))


def read_quarantine(store: Store, dataset: str) -> pl.DataFrame:
    """Read and check a dataset's quarantine. Raises StoreError or TableError."""
    key = quarantine_key(dataset)
    return check_table(store.read_table(key), Quarantined, str(store.path(key)))
