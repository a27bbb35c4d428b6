"""`croissant.json`: the repository as machines read it, with the fields of responsible AI.

Format: Croissant 1.1 and its vocabulary RAI 1.0 (mlcommons.org). The Hub makes a Croissant file of its own, without
those fields. Paths are relative to the file, so that it describes a downloaded copy as well.
"""

from typing import Any

from tinyemo_data.hub.code_identity import code_identity
from tinyemo_data.hub.columns import CROISSANT_TYPES, Column, columns
from tinyemo_data.hub.facts import SetFacts
from tinyemo_data.hub.files import FileEntry
from tinyemo_data.hub.licences import all_licences
from tinyemo_data.hub.responsible_ai import responsible_ai

PARQUET = "application/x-parquet"
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
# The context of the specification, 1.1, with the prefix of RAI.
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{
        name: f"cr:{name}"
        for name in (
            "arrayShape", "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
            "fileSet", "format", "includes", "isArray", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
        )
    },
    "isLiveDataset": "cr:isLiveDataset",
}  # fmt: skip
RECORDS, SHARDS = "default", "shards"


def croissant(facts: SetFacts, title: str, shards: list[FileEntry]) -> dict[str, Any]:
    """Return the description of a set as JSON-LD; `shards` are its Parquet files."""
    paper = all_licences().paper
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.repository.name,
        "alternateName": title,
        "description": f"{facts.counts.records} machine-made conversations about {len(facts.counts.records_of)} "
        "pictures, which it names by id and digest, on the emotion that each evokes in its viewers.",
        "conformsTo": CONFORMS_TO,
        "license": all_licences().ours.url,
        "url": facts.repository.address(),
        "version": code_identity()["version"],
        "inLanguage": "en",
        "isLiveDataset": False,
        "citeAs": f"{paper.author}, {paper.title}, {paper.year}, {paper.url}",
        "keywords": ["emotion", "affective computing", "vision-language", "synthetic"],
        **responsible_ai(facts),
        "distribution": [*map(_file_object, shards), _file_set(shards)],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": RECORDS,
                "name": RECORDS,
                "description": "One conversation about one picture a record.",
                "key": {"@id": f"{RECORDS}/record_id"},
                "field": [_field(column) for column in columns()],
            }
        ],
    }


def _file_object(entry: FileEntry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry.path,
        "name": entry.path,
        "contentUrl": entry.path,
        "contentSize": f"{entry.bytes} B",
        "encodingFormat": PARQUET,
        "sha256": entry.sha256,
    }


def _file_set(shards: list[FileEntry]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": SHARDS,
        "name": SHARDS,
        "containedIn": [{"@id": entry.path} for entry in shards],
        "encodingFormat": PARQUET,
        "includes": "*.parquet",
    }


def _field(column: Column) -> dict[str, Any]:
    place = f"{RECORDS}/{column.name}"
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": place,
        "name": place,
        "description": column.description,
    }
    source = {"fileSet": {"@id": SHARDS}, "extract": {"column": column.name}}
    if column.is_list:
        field |= {"isArray": True, "arrayShape": "-1"} if not column.parts else {"repeated": True}
    if not column.parts:
        return field | {"dataType": CROISSANT_TYPES[column.type], "source": source}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{place}/{name}",
            "name": f"{place}/{name}",
            "description": f"{name} of {column.name}",
            "dataType": CROISSANT_TYPES[kind],
            "source": source | {"transform": {"jsonPath": name}},
        }
        for name, kind in column.parts
    ]
    return field | {"subField": parts}
