"""Named selections of the graph: what a person launches from the UI's Jobs page."""

from typing import Any

import dagster as dg

from tinyemo_data.settings import Settings


def build_jobs(settings: Settings) -> list[Any]:
    """Return the jobs of a profile; each description says what it does and what it costs."""
    jobs = [
        dg.define_asset_job(
            "ingest",
            dg.AssetSelection.groups("ingest") - dg.AssetSelection.assets("leakage"),
            description="Read every dataset of the profile into Sample tables. Seconds to minutes; free.",
        ),
        dg.define_asset_job(
            "features",
            dg.AssetSelection.groups("ingest", "features"),
            description="Ingest, encode what is new by content, look for twins. Hours on a CPU; free; resumes.",
        ),
        dg.define_asset_job(
            "training",
            dg.AssetSelection.groups("projector", "evaluation"),
            description="Prototypes, Metric Projector and accuracy table from cached features. Under a minute; free.",
        ),
    ]
    if any(options.enabled for options in settings.synthesis.sets.values()):
        jobs.append(
            dg.define_asset_job(
                "synthesis",
                dg.AssetSelection.groups("instruct"),
                description=f"All instruct sets and their exports, by the backend {settings.synthesis.backend}. What "
                "is not answered yet is asked, within the budget; nothing is bought twice.",
            )
        )
    if settings.pictures == "drawn":
        description = "The whole graph on drawn pictures, offline. Under 2 minutes on 2 cores; free."
        jobs.append(dg.define_asset_job("demo", dg.AssetSelection.all(), description=description))
    return jobs
