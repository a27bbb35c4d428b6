"""Metadata values that people look at: pictures, table previews, column schemas."""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Any

import dagster as dg
import dataframely as dy
import polars as pl


def picture(content: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """Return PNG or JPEG bytes as a picture that the UI shows."""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return dg.MetadataValue.md(f"![{alt}](data:image/{kind};base64,{base64.b64encode(content).decode()})")


def preview(table: pl.DataFrame, rows: int = 8) -> dg.MarkdownMetadataValue:
    """Return the first rows as a Markdown table; columns that hold nothing at all are left out."""
    shown = table.head(rows)
    filled = [name for name in shown.columns if shown[name].null_count() < len(shown)] or shown.columns
    lines = ["| " + " | ".join(filled) + " |", "|" + "---|" * len(filled)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in shown.select(filled).iter_rows()]
    return dg.MetadataValue.md("\n".join(lines))


def records(rows: Sequence[Any], shown: int = 40) -> dg.MarkdownMetadataValue:
    """Return dataclass instances as a Markdown table, a row each."""
    return preview(pl.DataFrame([dataclasses.asdict(row) for row in rows[:shown]], strict=False), rows=shown)


def column_schema(schema: type[dy.Schema]) -> dg.TableSchema:
    """Return a declared table schema as the UI's column table."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column.primary_key),
            )
            for name, column in schema.columns().items()
        ]
    )


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = text.replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "…"
