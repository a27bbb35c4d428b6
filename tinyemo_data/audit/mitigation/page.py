"""What mitigation changed, as Markdown for people."""

from typing import Any

from tinyemo_data.audit.markdown import table

UNIT = "Effects d are changes of the margin, in its standard deviations within emotions."


def render_page(told: dict[str, Any]) -> str:
    """Return the page; `told` is what `audit/mitigated.json` holds."""
    parts = ["# The mitigated projector", _head(told)]
    if told["status"] == "mitigated":
        parts += [_weights(told), _slices(told), _others(told), _accuracy(told)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(told: dict[str, Any]) -> str:
    if told["status"] == "mitigated":
        return (
            f"{told['to_reweight']} accepted slices were weighed away: the projector learnt once more from the same "
            f"pictures, in the same order, with the seeds {', '.join(map(str, told['seeds']))} and as many epochs. It "
            "lies in `models/projector_mitigated/`; nothing uses it unless you say so (`projector.checkpoint`)."
        )
    return f"{told['reason']} No projector was trained."


def _weights(told: dict[str, Any]) -> str:
    rows = [
        (one["taxonomy"], pair["attribute"], pair["emotion"], pair["odds_ratio_before"], pair["odds_ratio_after"])
        for one in told["weights"]
        for pair in one["pairs"]
    ]
    notes = [
        f"{one['taxonomy']}: {one['training_pictures']:,} training pictures weigh {one['smallest_weight']:.2f} to "
        f"{one['largest_weight']:.2f}, as many as {100 * one['effective_share']:.0f} % of them would if all weighed "
        "the same."
        for one in told["weights"]
    ]
    header = ("taxonomy", "attribute", "emotion", "odds ratio before", "after")
    return "## Training labels\n\n" + table(header, rows, words=3) + "\n\n" + "\n".join(notes)


def _slices(told: dict[str, Any]) -> str:
    rows = [
        (
            row["dataset"],
            row["attribute"],
            row["emotion"],
            *(_interval(row, name) for name in ("before", "after", "change")),
        )
        for row in told["slices"]
    ]
    header = ("dataset", "attribute", "emotion", "d before [95 %]", "d after [95 %]", "change [95 %, paired]")
    return f"## Accepted slices\n\n{UNIT}\n\n" + table(header, rows, words=3)


def _others(told: dict[str, Any]) -> str:
    other = told["other_pairs"]
    rows = [
        (
            row["dataset"],
            row["attribute"],
            row["emotion"],
            *(_interval(row, name) for name in ("before", "after", "change")),
        )
        for row in other["largest_growth"]
    ]
    text = (
        f"Of {other['compared']} other pairs, {other['surely_larger']} have a larger effect than before by an interval "
        "that leaves out zero (one in forty would by chance alone). Those that grew the most:"
    )
    header = ("dataset", "attribute", "emotion", "d before [95 %]", "d after [95 %]", "change [95 %, paired]")
    return f"## Other pairs\n\n{text}\n\n" + table(header, rows, words=3)


def _accuracy(told: dict[str, Any]) -> str:
    rows = [
        (
            row["dataset"], row["split"], "all together" if row["seed"] is None else str(row["seed"]), row["n"],
            _percent(row["top1_before"]), _percent(row["top1_after"]),
            f"{100 * row['difference']:+.1f} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]",
            f"{row['macro_f1_before']:.3f}", f"{row['macro_f1_after']:.3f}",
        )
        for row in told["accuracy"]
    ]  # fmt: skip
    header = (
        "dataset",
        "split",
        "seed",
        "N",
        "top-1 before",
        "top-1 after",
        "points [95 %]",
        "macro-F1 before",
        "after",
    )
    return "## Accuracy\n\nPictures with a twin in a training split are left out.\n\n" + table(header, rows, words=3)


def _interval(row: dict[str, Any], name: str) -> str:
    values = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
    if values[0] is None:
        return "–"
    if None in values:
        return f"{values[0]:+.2f}"
    return "{:+.2f} [{:+.2f}, {:+.2f}]".format(*values)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
