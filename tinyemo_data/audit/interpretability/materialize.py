"""Interpretability over a store: the evaluated pictures of every dataset at hand, into `audit/`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from tinyemo_data.audit.bias.annotated import annotated_attributes
from tinyemo_data.audit.interpretability.control import RandomWords, draw_words
from tinyemo_data.audit.interpretability.groups import EMOTION, Groups, emotion_groups, slice_groups, slices_of
from tinyemo_data.audit.interpretability.map_plot import PICTURE, PROTOTYPE, render_map
from tinyemo_data.audit.interpretability.nearest import Numbers
from tinyemo_data.audit.interpretability.options import Options
from tinyemo_data.audit.interpretability.pictures import Looked, ProjectedPictures, evaluated_pictures, project
from tinyemo_data.audit.interpretability.plane import Plane, fit_plane
from tinyemo_data.audit.interpretability.report import SHOWN_WORDS, Report, write_report
from tinyemo_data.audit.interpretability.summary import ENOUGH, GroupSummary, summarise
from tinyemo_data.audit.interpretability.token_rows import BY_LIFT, group_rows, nearest_of_pictures, picture_rows
from tinyemo_data.audit.interpretability.word_space import WordSpace, open_word_space
from tinyemo_data.evaluation.materialize import refuse_other_training_rows
from tinyemo_data.features.statistics_table import read_statistics, statistics_key
from tinyemo_data.projector.checkpoint import load_checkpoint, read_config
from tinyemo_data.projector.language_model import chosen_language_model
from tinyemo_data.projector.prototypes import Prototypes, read_prototypes
from tinyemo_data.projector.tiny_language_model import NAME as MADE_ON_THE_SPOT
from tinyemo_data.sample import read_samples
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Explained:
    """The report, as it was written, with its rows and its picture."""

    report: Report
    tokens: pl.DataFrame
    picture: bytes  # PNG


@dataclass(frozen=True)
class _Explanation:
    """What words are looked up with."""

    pictures: ProjectedPictures
    space: WordSpace
    control: RandomWords
    used: Prototypes
    options: Options

    def of_pictures(self) -> tuple[Numbers, pl.DataFrame]:
        numbers, cosines = nearest_of_pictures(self.pictures, self.space, self.options.words_a_picture)
        return numbers, picture_rows(self.pictures, self.space, self.control, numbers, cosines)

    def of_groups(self, groups: Groups, own: Numbers) -> tuple[pl.DataFrame, list[GroupSummary]]:
        rows = group_rows(groups, self.pictures, self.space, self.control, own, self.options)
        return rows, summarise(groups, rows, self.pictures, self.space, self.control, own, self.used)


def materialize_interpretability(
    store: Store, settings: Settings, slug: str, options: Options | None = None
) -> Explained:
    """Explain the evaluated pictures by the language model's words, and write `audit/interpretability.json` and more.

    `slug` names the encoder whose features are read. Raises StoreError where none of the datasets is at hand,
    CheckpointError where there is no projector or it is of other features, LanguageModelError where the profile's
    language model is not the one that pictures are projected to.
    """
    chosen = options or Options()
    prototypes = read_prototypes(store)
    ensemble = load_checkpoint(store, prototypes, encoder=slug)
    refuse_other_training_rows(store, slug, read_config(store))
    labelled, looked = evaluated_pictures(store, slug, list(settings.datasets), chosen.pictures)
    pictures = project(ensemble, labelled)
    with chosen_language_model(settings, store) as language_model:
        space = open_word_space(language_model, prototypes, ensemble.prototypes)
        control = draw_words(space, chosen.controls, chosen.seed)
        explanation = _Explanation(pictures, space, control, ensemble.prototypes, chosen)
        flags = slices_of(_attributes(store, slug, pictures, looked, chosen), pictures.sample_ids)
        own, rows = explanation.of_pictures()
        parts = [
            explanation.of_groups(groups, own)
            for groups in (emotion_groups(pictures), slice_groups(pictures, flags, chosen.least))
        ]
    plane = fit_plane(pictures.points)
    context = {
        "profile": settings.name,
        "pictures": settings.pictures,
        "encoder": slug,
        "projector": ensemble.digest,
        "language_model": prototypes.language_model,
        "language_model_made_on_the_spot": prototypes.language_model == MADE_ON_THE_SPOT,
        "whole_words": len(space),
        "random_words": len(control.numbers),
        "tokens": len(space.matrix),
        "looked_at": looked.splits,
        "map_shares_of_variance": list(plane.shares),
        "options": asdict(chosen),
    }
    report = Report([group for _, found in parts for group in found], context, _notes(looked, context))
    tokens = pl.concat([part for part, _ in parts] + [rows])
    coordinates = _coordinates(plane, pictures, ensemble.prototypes)
    picture = render_map(coordinates, _panel_words(report, tokens), plane.shares, settings.pictures == "drawn")
    write_report(store, report, tokens, coordinates, picture)
    return Explained(report, tokens, picture)


def _attributes(store: Store, slug: str, pictures: ProjectedPictures, looked: Looked, options: Options) -> pl.DataFrame:
    """Return the Boolean attributes of the pictures: what is annotated, and what was measured of their pixels."""
    names = [entry["dataset"] for entry in looked.splits]
    samples = pl.concat([read_samples(store, name) for name in names])
    shown = samples.filter(pl.col("sample_id").is_in(list(pictures.sample_ids)))
    measured = [read_statistics(store, slug, n) for n in names if store.exists(statistics_key(slug, n))]
    return annotated_attributes(shown, pl.concat(measured) if measured else None, options.least)


def _coordinates(plane: Plane, pictures: ProjectedPictures, used: Prototypes) -> pl.DataFrame:
    """Return `kind`, `name`, `dataset`, `emotion`, `x`, `y` of pictures, then of the prototypes of their emotions."""
    words = sorted(set(pictures.emotions.tolist()))
    points = used.for_labels(words).double()
    stars = plane.coordinates((points / points.norm(dim=1, keepdim=True)).float().numpy())
    dots = plane.coordinates(pictures.points)
    places = np.concatenate([dots, stars])
    return pl.DataFrame(
        {
            "kind": [PICTURE] * len(pictures) + [PROTOTYPE] * len(words),
            "name": [*pictures.sample_ids, *words],
            "dataset": [*pictures.datasets.tolist(), *[None] * len(words)],
            "emotion": [*pictures.emotions.tolist(), *words],
            "x": places[:, 0],
            "y": places[:, 1],
        }
    )


def _panel_words(report: Report, tokens: pl.DataFrame) -> dict[str, list[str]]:
    """Return the words that set each judged emotion apart, but for labels: where those lie was taught."""
    apart = tokens.filter((pl.col("kind") == EMOTION) & (pl.col("ranked_by") == BY_LIFT) & ~pl.col("is_label"))
    return {
        group.name: apart.filter(pl.col("name") == group.name)["word"].head(SHOWN_WORDS).to_list()
        for group in report.judged
    }


def _notes(looked: Looked, context: dict[str, object]) -> list[str]:
    notes = list(looked.notes)
    if context["pictures"] == "drawn":
        notes.append("The pictures are drawn: their words say that the machinery works, nothing about photographs.")
    if context["language_model_made_on_the_spot"]:
        notes.append("The language model was made on the spot from 12 kB of text: it knows few words.")
    cut = [entry for entry in looked.splits if entry["pictures"] < entry["of"]]
    notes += [f"{entry['dataset']}: {entry['pictures']:,} of {entry['of']:,} pictures were looked at." for entry in cut]
    return [*notes, f"Emotions of fewer than {ENOUGH} pictures are listed, but neither judged nor drawn in a panel."]


def pictures_looked_at(splits: Sequence[dict[str, object]]) -> str:
    """Say for people which pictures were explained: those of evaluated splits, which nothing was learnt from."""
    return ", ".join(f"{entry['dataset']}/{entry['split']} ({entry['pictures']})" for entry in splits)
