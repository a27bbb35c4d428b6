"""The words of the review file."""

DECISIONS = ("accepted_bias", "legitimate_cue", "label_problem", "not_reproducible", "unsure")
ACCEPTED, UNSURE = DECISIONS[0], DECISIONS[-1]
ACTIONS = ("none", "reweight", "collect", "relabel", "warn_in_card")
NO_ACTION, REWEIGHT = ACTIONS[:2]
SEVERITIES = ("1", "2", "3")

REVIEW_KEY = "audit/review.csv"
# What a person writes, and what this program tells beside it.
WRITTEN = ("decision", "severity", "reviewer", "date", "reason", "action")
TOLD = ("dataset", "attribute", "emotion", "pictures", "d", "d_low", "d_high", "d_contrast")
EARLIER = "earlier"
COLUMNS = ("slice_id", *TOLD, *WRITTEN, EARLIER)
