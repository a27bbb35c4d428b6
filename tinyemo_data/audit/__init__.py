"""The audit: which pictures leak between splits, what the projector has learnt, and where it is biased."""
