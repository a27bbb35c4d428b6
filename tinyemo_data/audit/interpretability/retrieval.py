"""The pictures nearest to any word, of all splits of the datasets at hand."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tinyemo_data import sources
from tinyemo_data.audit.interpretability.nearest import Rows, rounded
from tinyemo_data.audit.interpretability.pictures import projections
from tinyemo_data.audit.interpretability.word_space import refuse_other_model
from tinyemo_data.errors import DatasetMissingError, FeatureError, InterpretabilityError, LayoutError, nearest
from tinyemo_data.features.gather import datasets_at_hand
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.features.reading import read_features
from tinyemo_data.ingest import find_root
from tinyemo_data.presence import dataset_folder
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.ensemble import ProjectorEnsemble
from tinyemo_data.projector.language_model import chosen_language_model
from tinyemo_data.projector.prototypes import Prototypes, make_prototypes, read_prototypes
from tinyemo_data.sample import read_samples
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

SHOWN = ("sample_id", "dataset", "split", "source_kind", "emotion", "image_path")


def retrieve(
    store: Store, settings: Settings, word: str, count: int = 12, datasets: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the `count` pictures nearest to a word or phrase, nearest first.

    Columns: `rank`, `cosine` (mean over seeds), `sample_id`, `dataset`, `split`, `source_kind`, `emotion` (null where
    it has none) and `path`. The word is put where a label of that name would have its prototype; `datasets` are those
    looked in (default: all of the profile that are at hand). Raises InterpretabilityError for an empty word, a count
    below 1 or an unknown dataset, CheckpointError where there is no projector, StoreError where there are no
    features, LanguageModelError where the profile's language model is not the projector's.
    """
    wanted = _check(settings, word, count, datasets)
    slug, prototypes = encoder_slug(settings.encoder), read_prototypes(store)
    ensemble = load_checkpoint(store, prototypes, encoder=slug)
    used, _ = datasets_at_hand(store, slug, wanted)
    point = word_point(store, settings, word.strip(), prototypes, ensemble)
    parts = [_nearest_of(store, slug, name, ensemble, point, count, settings) for name in used]
    found = pl.concat(parts).sort(["cosine", "sample_id"], descending=[True, False]).head(count)
    return found.with_row_index("rank", offset=1)


def word_point(
    store: Store, settings: Settings, word: str, prototypes: Prototypes, ensemble: ProjectorEnsemble
) -> Rows:
    """Return the point of a word, (h,) float32 of length 1: its prototype, were it a label.

    `prototypes` are those before any centring. Raises LanguageModelError where the profile's language model does not
    give these prototypes.
    """
    with chosen_language_model(settings, store) as chosen:
        refuse_other_model(chosen, prototypes)
        made = make_prototypes([word], chosen.location, chosen.tokenizer, prototypes.grounding_text)
    point = made.embeddings[0].double()
    if ensemble.prototypes.digest != prototypes.digest:
        point = point - prototypes.embeddings.double().mean(dim=0)
    unit: Rows = (point / point.norm()).float().numpy()
    return unit


def _check(settings: Settings, word: str, count: int, datasets: Sequence[str] | None) -> list[str]:
    if not word.strip():
        raise InterpretabilityError('The word to look for is empty. Give a word or a phrase, such as "abandoned".')
    if count < 1:
        raise InterpretabilityError(f"{count} pictures were asked for; expected 1 or more.")
    wanted = list(settings.datasets) if datasets is None else list(datasets)
    for name in wanted:
        if name not in settings.datasets:
            raise InterpretabilityError(
                f"There is no dataset '{name}' in the profile {settings.name}.{nearest(name, settings.datasets)} "
                f"Known: {', '.join(settings.datasets)}."
            )
    return wanted


def _nearest_of(
    store: Store, slug: str, name: str, ensemble: ProjectorEnsemble, point: Rows, count: int, settings: Settings
) -> pl.DataFrame:
    """Return the pictures of one dataset that may be among the nearest."""
    table = read_features(store, slug, name)
    cosines = rounded(projections(ensemble, table.features) @ point)
    scored = pl.DataFrame({"sample_id": table.sample_ids, "sha256": table.sha256, "cosine": cosines})
    best = scored.sort(["cosine", "sample_id"], descending=[True, False]).head(count)
    samples = read_samples(store, name).select(*SHOWN, pl.col("sha256").alias("now"))
    joined = best.join(samples, on="sample_id", how="left", maintain_order="left")
    stale = joined.filter(pl.col("now").is_null() | (pl.col("now") != pl.col("sha256")))
    if len(stale):
        raise FeatureError(
            f"The features of {name} are stale: '{stale['sample_id'][0]}' has other bytes now, or is no sample any "
            f"more. Materialize features/{name} again: only what changed is computed."
        )
    root = _root(settings, name)
    paths = pl.Series("path", [str(root / path) for path in joined["image_path"]], dtype=pl.String)
    shown = joined.select("cosine", *(pl.col(column).cast(pl.String) for column in SHOWN[:-1]))
    return shown.with_columns(paths)


def _root(settings: Settings, name: str) -> Path:
    """Return what `image_path` is relative to: where the pictures lie, or would lie, were they on this machine."""
    expected = dataset_folder(settings, name)
    try:
        return find_root(sources.get(name), expected, settings.datasets[name])
    except (DatasetMissingError, LayoutError):
        return expected
