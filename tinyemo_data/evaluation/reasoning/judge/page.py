"""What the judge said, for people."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.evaluation.naming import table
from tinyemo_data.evaluation.reasoning.conditions import CONDITIONS
from tinyemo_data.evaluation.reasoning.judge.verdicts import CRITERIA

ROW_TITLES = {condition.key: condition.title for condition in CONDITIONS}


def render_judgement(judge: Mapping[str, Any]) -> str:
    """Return the scores, the preferences and the agreement with people, of a judgement as a dict."""
    parts = [
        f"{judge['model']} by {judge['backend']}, {judge['pictures']} pictures, seed {judge['seed']}; these "
        f"verdicts cost ${judge['usd']:.4f}. Scores from 1 to 5, with 95 % intervals over pictures. Texts of shuffled "
        "pictures are judged by the picture that they are not about: where they are not scored lower in grounding, the "
        "judge does not look.",
        _scores(judge),
        _pairs(judge),
        _people(judge),
        judge["stopped"],
    ]
    return "\n\n".join(part for part in parts if part)


def _scores(judge: Mapping[str, Any]) -> str:
    lines = []
    for key, row in judge["rows"].items():
        found = [row["criteria"].get(name) for name in CRITERIA]
        cells = [
            "–" if one is None else f"{one['mean']:.2f} ({one['ci95'][0]:.2f}–{one['ci95'][1]:.2f})" for one in found
        ]
        lines.append([ROW_TITLES.get(key, key), str(row["n"]), str(row["unscored"]), *cells])
    return table(["row", "N", "unscored", *CRITERIA], lines, left=1)


def _pairs(judge: Mapping[str, Any]) -> str:
    if not judge["pairs"]:
        return ""
    header = ["first", "second", "N", "first wins", "second wins", "equal", "the order decided", "unscored"]
    lines = [
        [
            ROW_TITLES.get(one["first"], one["first"]), ROW_TITLES.get(one["second"], one["second"]),
            *(str(one[name]) for name in ("n", "first_wins", "second_wins", "equal", "order_decided", "unscored")),
        ]
        for one in judge["pairs"]
    ]  # fmt: skip
    return "A text wins only if it does so in both orders.\n\n" + table(header, lines, left=2)


def _people(judge: Mapping[str, Any]) -> str:
    if judge["people"] is None:
        return "No human scores were given: how far the judge agrees with people is not known."
    lines = [
        [name, str(one["n"]), "–" if one["kappa"] is None else f"{one['kappa']:.3f}"]
        for name, one in judge["people"].items()
    ]
    return "Agreement with people, quadratically weighted kappa.\n\n" + table(
        ["criterion", "N", "kappa"], lines, left=1
    )
