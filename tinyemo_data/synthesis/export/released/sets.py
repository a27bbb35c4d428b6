"""Which sets TinyEmo's author released, and what their cards say of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReleasedSet:
    """What is known of one released set."""

    title: str
    tasks: str  # whose set of this project its tasks are those of
    model: str  # that generated it, as its card says


RELEASED = {
    "tinyemo-pretrain-525k": ReleasedSet("TinyEmo-Pretrain-525k", "pretrain", "Bunny-v1.0-3B"),
    "tinyemo-emoreason-175k": ReleasedSet("TinyEmo-EmoReason-175k", "finetune", "Bunny-v1.0-3B"),
    "tinyemo-emoreasonhq-claude-1.4k": ReleasedSet("TinyEmo-EmoReasonHQ-Claude-1.4k", "hq", "Claude 3.5 Sonnet"),
}
