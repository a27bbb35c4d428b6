"""Small pictures for the page, made from the raw ones: JPEG bytes as data URIs, the same for the same picture."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from PIL import Image, ImageOps, UnidentifiedImageError

from tinyemo_data import sources
from tinyemo_data.errors import DatasetMissingError, LayoutError
from tinyemo_data.ingest import find_root
from tinyemo_data.presence import dataset_folder
from tinyemo_data.sample import read_samples, samples_key
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

SIDE, QUALITY = 112, 78


def thumbnails(store: Store, settings: Settings, sample_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return each sample's label and its picture as a data URI; None where it is not at hand or can't be opened."""
    wanted = sorted(set(sample_ids))
    found: dict[str, tuple[str, str | None]] = {}
    for name in dict.fromkeys(one.partition("/")[0] for one in wanted):
        if store.exists(samples_key(name)):
            root = _root(settings, name)
            rows = read_samples(store, name).filter(pl.col("sample_id").is_in(wanted))
            for row in rows.select("sample_id", "emotion", "image_path", "source_kind").iter_rows(named=True):
                is_picture = root is not None and row["source_kind"] == "picture"
                uri = _data_uri(root / row["image_path"]) if root is not None and is_picture else None
                found[row["sample_id"]] = (row["emotion"], uri)
    return found


def _root(settings: Settings, name: str) -> Path | None:
    if name not in settings.datasets:
        return None
    try:
        return find_root(sources.get(name), dataset_folder(settings, name), settings.datasets[name])
    except (DatasetMissingError, LayoutError):
        return None


def _data_uri(path: Path) -> str | None:
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (SIDE * 2, SIDE * 2))
            picture = ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGB"), (SIDE, SIDE))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
