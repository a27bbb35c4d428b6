"""The one code location: assets, checks, jobs and the resources built from the profile's settings."""

from pathlib import Path
from typing import Any

import dagster as dg
from dotenv import load_dotenv

from assets.bias import build_bias
from assets.evaluation import build_evaluation
from assets.exports import build_exports
from assets.features import build_features
from assets.ingest import build_ingest
from assets.instruct import build_instruct
from assets.interpretability import build_interpretability
from assets.leakage import build_leakage
from assets.mm_llm import build_mm_llm
from assets.projector import build_projector
from assets.publish import build_publish
from assets.reasoning import build_reasoning
from assets.resources import build_resources
from pipelines.automation import build_sensors
from pipelines.console import console
from pipelines.jobs import build_jobs
from tinyemo_data import settings as profile_settings

BUILDERS = (
    build_ingest,
    build_features,
    build_leakage,
    build_projector,
    build_evaluation,
    build_interpretability,
    build_bias,
    build_instruct,
    build_exports,
    build_mm_llm,
    build_reasoning,
    build_publish,
)


def build_defs(settings: profile_settings.Settings | None = None, **resources: Any) -> dg.Definitions:
    """Return the definitions of a profile (default: the environment's). `resources` replace those of their names."""
    chosen = settings or profile_settings.load()
    parts = [build(chosen) for build in BUILDERS]
    definitions = [definition for part in parts for definition in part]
    return dg.Definitions(
        assets=[found for found in definitions if not isinstance(found, dg.AssetChecksDefinition)],
        asset_checks=[found for found in definitions if isinstance(found, dg.AssetChecksDefinition)],
        jobs=build_jobs(chosen),
        sensors=build_sensors(chosen),
        resources={**build_resources(chosen), **resources},
        loggers={"console": console},
        executor=dg.in_process_executor,
    )


load_dotenv(Path.cwd() / ".env")
defs = build_defs()
