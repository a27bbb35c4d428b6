import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from rich.console import Console

from tests.audit.interpretability.conftest import World
from tinyemo_data.audit.interpretability.command import retrieve_here
from tinyemo_data.audit.interpretability.contact_sheet import SIDE, write_contact_sheet
from tinyemo_data.audit.interpretability.retrieval import retrieve
from tinyemo_data.errors import CheckpointError, InterpretabilityError, StoreError
from tinyemo_data.features.labelled import labelled_features
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.sample import read_samples
from tinyemo_data.store import Store


@pytest.mark.parametrize(("word", "emotion"), [("sadness", "sadness"), ("abandoned", "sadness"), ("puppy", "joy")])
def test_retrieve_gives_pictures_of_the_emotion_that_the_word_was_planted_beside(
    world: World, word: str, emotion: str
) -> None:
    found = retrieve(world.store, world.settings, word, 20)
    assert found["rank"].to_list() == list(range(1, 21))
    assert found["cosine"].is_sorted(descending=True)
    assert (found["emotion"] == emotion).sum() >= 15
    assert all(Path(path).is_file() for path in found["path"])


def test_retrieve_ranks_a_label_as_the_projector_does(world: World) -> None:
    found = retrieve(world.store, world.settings, "fear", 2000)
    ensemble = load_checkpoint(world.store, read_prototypes(world.store))
    labelled = labelled_features(world.store, world.slug, "emotion6", read_samples(world.store, "emotion6"))
    expected = ensemble.similarities(labelled.features, ["fear"]).mean(dim=0)[:, 0].numpy()
    own = pl.DataFrame({"sample_id": labelled.sample_ids, "expected": expected})
    both = found.join(own, on="sample_id", how="inner")
    assert len(both) == len(found) == len(labelled)
    assert both["cosine"].to_numpy() == pytest.approx(both["expected"].to_numpy(), abs=2e-5)


def test_retrieve_takes_a_phrase_and_gives_no_more_pictures_than_there_are(world: World) -> None:
    found = retrieve(world.store, world.settings, "  grave shadow ", 5000, ["emotion6"])
    assert len(found) == len(read_samples(world.store, "emotion6"))
    assert np.isfinite(found["cosine"].to_numpy()).all()


@pytest.mark.parametrize("word", ["", "  \t"])
def test_retrieve_refuses_an_empty_word(world: World, word: str) -> None:
    with pytest.raises(InterpretabilityError, match="word to look for is empty"):
        retrieve(world.store, world.settings, word)


def test_retrieve_refuses_an_unknown_dataset_and_suggests_the_one_meant(world: World) -> None:
    with pytest.raises(InterpretabilityError, match=r"no dataset 'emotoin6' .* Did you mean 'emotion6'\?"):
        retrieve(world.store, world.settings, "joy", 3, ["emotoin6"])


def test_retrieve_refuses_to_give_no_picture(world: World) -> None:
    with pytest.raises(InterpretabilityError, match="0 pictures were asked for"):
        retrieve(world.store, world.settings, "joy", 0)


def test_retrieve_says_what_to_make_when_there_is_no_projector_or_no_feature(world: World, tmp_path: Path) -> None:
    bare = Store(tmp_path / "bare")
    with pytest.raises(CheckpointError, match="Materialize projector/prototypes again, then projector/model"):
        retrieve(bare, world.settings, "joy")
    for key in world.store.keys("models/projector"):
        bare.write_bytes(key, world.store.read_bytes(key))
    with pytest.raises(StoreError, match="Materialize features/emotion6 first"):
        retrieve(bare, world.settings, "joy")


def test_retrieve_here_prints_ranks_cosines_and_paths_and_how_the_word_is_read(world: World) -> None:
    shown = io.StringIO()
    retrieve_here(world.settings, "abandoned", 3, "emotion6", Console(file=shown, width=200))
    text = shown.getvalue()
    first = retrieve(world.store, world.settings, "abandoned", 1).row(0, named=True)
    assert "Nearest to 'abandoned'" in text
    assert first["sample_id"] in text
    assert f"{first['cosine']:.3f}" in text
    assert "reads it as <s> Ġabandoned" in text


def test_retrieve_here_refuses_a_contact_sheet_of_released_features(world: World, tmp_path: Path) -> None:
    quiet = Console(file=io.StringIO())
    with pytest.raises(InterpretabilityError, match="released feature without its picture"):
        retrieve_here(world.settings, "joy", 3, None, quiet, tmp_path / "sheet.png")
    with pytest.raises(InterpretabilityError, match=r"sheet\.pdf: pictures are written as \.png"):
        retrieve_here(world.settings, "joy", 3, None, quiet, tmp_path / "sheet.pdf")


def found_pictures(folder: Path) -> pl.DataFrame:
    """Five one-coloured pictures, as `retrieve` gives them."""
    rows = []
    for number, colour in enumerate(["red", "lime", "blue", "yellow", "black"]):
        Image.new("RGB", (40, 30 + number), colour).save(folder / f"{number}.png")
        told = {"emotion": None if number == 4 else "joy", "path": str(folder / f"{number}.png")}
        rows.append(
            {"rank": number + 1, "cosine": 0.5, "dataset": "d", "split": "test", "sample_id": str(number)} | told
        )
    return pl.DataFrame(rows).with_columns(source_kind=pl.lit("picture"))


def test_write_contact_sheet_lays_pictures_in_order(tmp_path: Path) -> None:
    write_contact_sheet(found_pictures(tmp_path), tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        row = [sheet.getpixel((SIDE * column + SIDE // 2, SIDE // 2)) for column in range(4)]
        assert row == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
        assert len(sheet.getcolors(1 << 24) or []) > 10  # captions


def test_write_contact_sheet_names_the_picture_that_is_gone(tmp_path: Path) -> None:
    found = found_pictures(tmp_path)
    (tmp_path / "2.png").unlink()
    with pytest.raises(InterpretabilityError, match=r"2\.png can't be opened .* Lay the dataset"):
        write_contact_sheet(found, tmp_path / "sheet.png")
