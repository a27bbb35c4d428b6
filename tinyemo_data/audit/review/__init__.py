"""The human review: what people decided about each flagged slice, in a file that is theirs."""
