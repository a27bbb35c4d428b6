"""Retrieved pictures side by side, each with its rank, cosine and emotion."""

from pathlib import Path

import polars as pl
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tinyemo_data.errors import InterpretabilityError

COLUMNS, SIDE, MARGIN, CAPTION = 4, 190, 5, 32  # pictures a row, then pixels
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
INK, QUIET = "#22262b", "#767c86"


def write_contact_sheet(found: pl.DataFrame, out: Path) -> None:
    """Write the pictures of `retrieve` as one picture. Raises InterpretabilityError where they can't be shown."""
    check_target(out)
    unseen = found.filter(pl.col("source_kind") != "picture")
    if len(unseen):
        raise InterpretabilityError(
            f"'{unseen['sample_id'][0]}' is a released feature without its picture: there is nothing to show. Leave "
            "out --out, or give a dataset with pictures."
        )
    rows = -(-len(found) // COLUMNS)
    width = min(len(found), COLUMNS)
    sheet = Image.new("RGB", (width * SIDE + MARGIN, rows * (SIDE + CAPTION) + MARGIN), "white")
    for place, row in enumerate(found.iter_rows(named=True)):
        corner = (MARGIN + place % COLUMNS * SIDE, MARGIN + place // COLUMNS * (SIDE + CAPTION))
        sheet.paste(_thumbnail(Path(row["path"])), corner)
        _write_caption(ImageDraw.Draw(sheet), corner, row)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, format=FORMATS[out.suffix.lower()])


def check_target(out: Path) -> None:
    """Raise InterpretabilityError for a file that is not written as a picture."""
    if out.suffix.lower() not in FORMATS:
        raise InterpretabilityError(f"{out}: pictures are written as {', '.join(FORMATS)}. Give a name that ends so.")


def _thumbnail(path: Path) -> Image.Image:
    side = SIDE - MARGIN
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (2 * side, 2 * side))
            return ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGB"), (side, side))
    except OSError as exc:
        raise InterpretabilityError(
            f"{path} can't be opened ({exc}). Lay the dataset at its raw folder again, or leave out --out."
        ) from exc


def _write_caption(draw: ImageDraw.ImageDraw, corner: tuple[int, int], row: dict[str, object]) -> None:
    left, top = corner[0], corner[1] + SIDE - MARGIN + 2
    font = ImageFont.load_default(12)
    draw.text((left, top), f"{row['rank']} · {row['cosine']:.3f} · {row['emotion'] or 'no label'}", INK, font)
    draw.text((left, top + 14), f"{row['dataset']}, {row['split']}", QUIET, ImageFont.load_default(10))
