"""What a file's first bytes say that it is, whatever its name says."""

# Offset and bytes. Sources: the formats' own specifications.
PICTURES = {
    "JPEG": ((0, b"\xff\xd8\xff"),),
    "PNG": ((0, b"\x89PNG\r\n\x1a\n"),),
    "GIF": ((0, b"GIF8"),),
    "WebP": ((0, b"RIFF"), (8, b"WEBP")),
    "BMP": ((0, b"BM"), (6, b"\x00\x00\x00\x00")),
    "TIFF, little-endian": ((0, b"II*\x00"),),
    "TIFF, big-endian": ((0, b"MM\x00*"),),
    "HEIF or AVIF": ((4, b"ftyp"),),
    "JPEG XL": ((0, b"\x00\x00\x00\x0cJXL "),),
    "JPEG XL codestream": ((0, b"\xff\x0a"),),
    "JPEG 2000": ((0, b"\x00\x00\x00\x0cjP  "),),
    "icon": ((0, b"\x00\x00\x01\x00"),),
    "SVG": ((0, b"<svg"),),
}
HEAD = 16  # bytes that are enough to tell
# Numbers begin with the short marks now and then.
UNMISTAKABLE = {name for name, marks in PICTURES.items() if sum(len(mark) for _, mark in marks) > 2} - {"icon", "BMP"}
# The kinds of file that a repository is made of.
KINDS = {
    ".parquet": "parquet", ".safetensors": "safetensors",
    ".md": "text", ".json": "text", ".jsonl": "text", ".txt": "text", ".csv": "text", ".yaml": "text",
    ".jinja": "text", ".tsv": "text",
}  # fmt: skip
VOCABULARIES = {"tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "added_tokens.json", "vocabulary.txt"}
# A binary that tokenizers of the SentencePiece family are distributed as.
SENTENCEPIECE = "tokenizer.model"


def picture_format(head: bytes) -> str | None:
    """Return the picture format that a file begins like; None where it begins like none."""
    for name, marks in PICTURES.items():
        if all(head[start : start + len(mark)] == mark for start, mark in marks):
            return name
    return None
