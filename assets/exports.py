"""`exports/llava/<set>` and `exports/messages/<set>`: instruct sets as trainers read them."""

from typing import Any

import dagster as dg

from assets.failures import failures_for_people
from assets.instruct import instruct_key
from assets.resources import RawResource, StoreResource
from tinyemo_data.settings import Settings

GROUP = "instruct"
OWNERS = ["team:data"]
CODE_VERSION = "1"


def build_exports(settings: Settings) -> list[Any]:
    """Return the exports of a profile's instruct sets, and their checks."""
    from tinyemo_data.synthesis.recipe import enabled_sets

    definitions: list[Any] = []
    for name in enabled_sets(settings.synthesis):
        definitions += [_llava_asset(name, settings), _trainer_takes_it(name, settings), _messages_asset(name)]
    return definitions


def _llava_asset(name: str, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=["exports", "llava", name],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"json"},
        code_version=CODE_VERSION,
        deps=[instruct_key(name)],
        description=f"The set **{name}** as JSON that TinyLLaVA Factory and LLaVA train on unchanged; which file is "
        "for which stage, with which flags, is in the README.md beside it.",
    )
    def llava(store: StoreResource, raw: RawResource) -> dg.MaterializeResult:
        from tinyemo_data.synthesis.export.llava import export_llava
        from tinyemo_data.synthesis.materialize import link_pictures

        with failures_for_people():
            opened = store.open()
            files = export_llava(opened, name)
            images = link_pictures(opened, settings.model_copy(update={"raw": raw.folder}), name)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(file.records for file in files),
                "dagster/uri": str(opened.path(files[0].key)),
                "image_folder": str(images),
                "files": {file.key: f"stage {file.stage}, {file.records} records" for file in files},
            },
            data_version=dg.DataVersion("-".join(opened.digest(file.key)[:16] for file in files)),
        )

    return llava


def _trainer_takes_it(name: str, settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=dg.AssetKey(["exports", "llava", name]), name="trainer_takes_it", blocking=True)
    def trainer_takes_it(store: StoreResource, raw: RawResource) -> dg.AssetCheckResult:
        """The linter finds nothing that the trainer would trip over: turns, <image>, missing pictures, masked text."""
        from tinyemo_data.synthesis.export.lint import lint
        from tinyemo_data.synthesis.export.llava import llava_file
        from tinyemo_data.synthesis.funnel import read_funnel
        from tinyemo_data.synthesis.materialize import link_pictures

        lines, broken = [], 0
        with failures_for_people():
            opened = store.open()
            images = link_pictures(opened, settings.model_copy(update={"raw": raw.folder}), name)
            for key, stage in sorted({llava_file(name, task) for task in read_funnel(opened, name).tasks()}):
                if not opened.exists(key):
                    continue
                with opened.local(key) as path:
                    found = lint(path, stage, images)
                broken += not found.ok
                lines += list(found.lines())
        return dg.AssetCheckResult(passed=not broken, metadata={"report": dg.MetadataValue.md("\n".join(lines))})

    return trainer_takes_it


def _messages_asset(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["exports", "messages", name],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet"},
        code_version=CODE_VERSION,
        deps=[instruct_key(name)],
        description=f"The set **{name}** in TRL's messages format (`messages` and `images`, or `prompt`, `chosen` and "
        "`rejected`).",
    )
    def messages(store: StoreResource) -> dg.MaterializeResult:
        from tinyemo_data.synthesis.export.messages import export_messages

        with failures_for_people():
            opened = store.open()
            file = export_messages(opened, name)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": file.rows, "dagster/uri": str(opened.path(file.key))},
            data_version=dg.DataVersion(opened.digest(file.key)),
        )

    return messages
