"""Parts of the train split: stratified by label, seeded, and never with one picture on both sides."""

import torch
from torch import Tensor

from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures


def held_out_part(labelled: LabelledFeatures, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Split rows into (kept, held out), both ascending row numbers (int64).

    Of each label `fraction` of the pictures are held out, at least one and never all of a label that has two
    or more. Rows of equal picture bytes stay together, in whichever datasets they are. Raises TrainingError
    where no label has two pictures.
    """
    generator = torch.Generator().manual_seed(seed)
    held_out: list[int] = []
    for pictures in _pictures_of_each_label(labelled):
        count = min(max(round(fraction * len(pictures)), 1), len(pictures) - 1)
        chosen = torch.randperm(len(pictures), generator=generator)[:count].tolist()
        held_out.extend(row for index in chosen for row in pictures[index])
    if not held_out:
        raise TrainingError(
            f"No part of the {len(labelled)} training rows can be held out for early stopping: every label "
            "has one picture only. Add pictures to the train split (two of a label at least)."
        )
    apart = torch.zeros(len(labelled), dtype=torch.bool)
    apart[held_out] = True
    return (~apart).nonzero().squeeze(1), apart.nonzero().squeeze(1)


def fold_numbers(labelled: LabelledFeatures, folds: int, seed: int) -> Tensor:
    """Return each row's fold, (N,) int64 in 0 … folds-1, equal for equal data, `folds` and `seed`.

    Each label's pictures are dealt out evenly; rows of equal picture bytes lie in one fold. Raises
    TrainingError where there are fewer pictures than folds.
    """
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.empty(len(labelled), dtype=torch.long)
    dealt = 0
    for pictures in _pictures_of_each_label(labelled):
        for index in torch.randperm(len(pictures), generator=generator).tolist():
            numbers[pictures[index]] = dealt % folds
            dealt += 1
    if dealt < folds:
        raise TrainingError(
            f"{dealt} distinct pictures can't be dealt out to {folds} folds. "
            "Lower projector.folds, or add pictures to the train split."
        )
    return numbers


def _pictures_of_each_label(labelled: LabelledFeatures) -> list[list[list[int]]]:
    """Return the rows of each distinct picture, a list a label (in order of taxonomy and label).

    A picture that occurs under several labels counts for the one of its first row.
    """
    rows_of: dict[str, list[int]] = {}
    for row, digest in enumerate(labelled.sha256):
        rows_of.setdefault(digest, []).append(row)
    of_label: dict[tuple[str, str], list[list[int]]] = {}
    for rows in rows_of.values():
        label = (labelled.taxonomies[rows[0]], labelled.emotions[rows[0]])
        of_label.setdefault(label, []).append(rows)
    return [of_label[label] for label in sorted(of_label)]
