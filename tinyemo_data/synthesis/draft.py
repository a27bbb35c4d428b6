"""Drafts: records that are to be, each with the question that its answer comes from.

A draft is a pure function of a picture's facts, a prompt and a seed. `instruct/<set>/drafts.parquet` holds those of a
set in their seeded order; what is asked, and later parsed and gated, is read from there in parts.
"""

import dataframely as dy

VARIANTS = ("", "given", "withheld")
LABEL_ORIGINS = ("annotators", "projector")


class Draft(dy.Schema):
    """One question about one picture, and what its answer will be assembled and judged with."""

    draft_id = dy.String(primary_key=True, description="<sample_id>#<task>, with ~<draw> from the second draw on")
    rank = dy.UInt64(nullable=False, description="place in the set's seeded order: a hash of seed and draft_id")
    sample_id = dy.String(nullable=False)
    dataset = dy.String(nullable=False)
    image = dy.String(nullable=False, description="<dataset>/<path below the dataset's root>")
    picture_sha256 = dy.String(nullable=False)
    task = dy.String(nullable=False, description="caption, vqa, sqa, reasoning, …: the prompt's name in its set")
    variant = dy.Enum(VARIANTS, nullable=False, description="is the label in the human turn? empty: does not apply")
    emotion = dy.String(nullable=True, description="the label that the record is conditioned on")
    taxonomy = dy.String(nullable=True)
    label_origin = dy.Enum(LABEL_ORIGINS, nullable=True)
    options = dy.List(dy.String(nullable=False), nullable=False, description="labels that the human turn offers")
    question = dy.String(nullable=True, description="the human turn without <image>, where no model writes it")
    known = dy.String(nullable=False, description="JSON of the facts that answers are judged against")
    prompt = dy.String(nullable=False, description="<set>/<task>")
    prompt_digest = dy.String(nullable=False)
    request_digest = dy.String(nullable=False)
    request = dy.Binary(nullable=False, description="the canonical request (request.py)")


def drafts_key(name: str) -> str:
    """Return the store key of a set's drafts."""
    return f"instruct/{name}/drafts.parquet"
