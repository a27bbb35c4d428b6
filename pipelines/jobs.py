"""Named selections of the graph: what a person launches from the UI's Jobs page."""

from typing import Any

import dagster as dg

from assets import mm_llm
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
            dg.AssetSelection.groups("projector") | dg.AssetSelection.assets(["evaluation", "classification"]),
            description="Prototypes, Metric Projector and accuracy table from cached features. Under a minute; free.",
        ),
        dg.define_asset_job(
            "audit",
            dg.AssetSelection.groups("audit"),
            description="Words that explain the projector, bias slices, the state of their review, and mitigation of "
            "what people accepted. Minutes, for projectors learn again from re-weighted labels; free.",
        ),
    ]
    if mm_llm.is_built(settings):
        jobs.append(
            dg.define_asset_job(
                "reasoning",
                dg.AssetSelection.groups("mm_llm") | dg.AssetSelection.assets(["evaluation", "reasoning"]),
                description="Both stages of the MM-LLM and what its explanations are worth. 2 minutes for the demo's, "
                "hours on a GPU for real ones; free, but for a judge where the profile names one; resumes.",
            )
        )
    if any(options.enabled for options in settings.synthesis.sets.values()):
        jobs.append(
            dg.define_asset_job(
                "synthesis",
                dg.AssetSelection.groups("instruct"),
                description=f"All instruct sets and their exports, by the backend {settings.synthesis.backend}. What "
                "is not answered yet is asked, within the budget; nothing is bought twice.",
            )
        )
    jobs.append(
        dg.define_asset_job(
            "publish",
            dg.AssetSelection.groups("publish"),
            description="Stage every repository from what the store holds; seconds, free. Nothing leaves this machine "
            "unless `publish: true` is typed for a repository, or TINYEMO_HUB__PUBLISH says so for all of them.",
        )
    )
    if settings.pictures == "drawn":
        description = "The whole graph on drawn pictures, offline. Under 5 minutes on 2 cores; free."
        jobs.append(dg.define_asset_job("demo", dg.AssetSelection.all(), description=description))
    return jobs
