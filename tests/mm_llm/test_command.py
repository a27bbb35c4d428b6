"""Pictures from a terminal: projector, label, explanation; a file that is no picture costs but its own line."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from tests.mm_llm.conftest import EMOTIONS, changed
from tinyemo_data import taxonomy
from tinyemo_data.errors import CheckpointError, MMLLMError, StoreError
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.mm_llm.classification import Classified, Classifier
from tinyemo_data.mm_llm.command import classify_here, reason_here
from tinyemo_data.mm_llm.materialize import finetune, pretrain
from tinyemo_data.projector.checkpoint import save_checkpoint, trained_from
from tinyemo_data.projector.prototypes import with_digest, write_prototypes
from tinyemo_data.projector.seeds import train_ensemble
from tinyemo_data.settings import EncoderSettings, ProjectorSettings, Settings
from tinyemo_data.store import Store

ENCODER = EncoderSettings(model="tinyemo-vit", device="cpu")
# Tells what a process of its own has loaded when it can classify.
MODULES = """
import sys
import tinyemo_data.mm_llm.command
loaded = [name for name in sys.modules if name.split(".")[0] in {"transformers", "accelerate", "peft"}]
assert "tinyemo_data.projector.checkpoint" in sys.modules
assert not loaded, loaded
"""


@pytest.fixture
def pictures(planted: Settings) -> list[Path]:
    return [Path(planted.raw) / "emoset" / f"p{number}.png" for number in range(16)]


@pytest.fixture
def settings(planted: Settings, pictures: list[Path]) -> Settings:
    """The planted world with a projector that learnt its colours."""
    store, encoder = Store(planted.store), Encoder(ENCODER)
    generator = torch.Generator().manual_seed(0)
    words = sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
    prototypes = with_digest(words, torch.randn(len(words), 12, generator=generator), {}, "random points", "{emotion}")
    write_prototypes(store, prototypes)
    contents = [encoder.preprocessing.crop(encoder.preprocessing.pixels(path.read_bytes())) for path in pictures]
    emotions = [EMOTIONS[number % 8] for number in range(16)] * 4
    ids = [f"emoset/{number}" for number in range(64)]
    labelled = LabelledFeatures(
        encoder.encode(contents).repeat(4, 1), ids, ids, ["emoset"] * 64, ["mikels8"] * 64, emotions
    )
    recipe = ProjectorSettings(train_on=["emoset"], epochs=25, batch_size=16, max_learning_rate=0.02, patience=25)
    trained = train_ensemble(labelled, prototypes, recipe)
    provenance = trained_from(labelled, trained, encoder.identity.slug, prototypes)
    save_checkpoint(store, trained.ensemble, recipe, provenance, {})
    return changed(planted, max_new_tokens=6).model_copy(update={"encoder": ENCODER})


def said(text: StringIO) -> list[str]:
    return [line for line in text.getvalue().splitlines() if line]


def on_paper() -> tuple[Console, StringIO]:
    text = StringIO()
    return Console(file=text, width=200), text


def test_classify_finds_the_planted_emotions(settings: Settings, pictures: list[Path]) -> None:
    found = Classifier(Store(settings.store), settings, "mikels8").classify(pictures[:8])
    labels = [each.label for each in found if isinstance(each, Classified)]
    assert sum(one == other for one, other in zip(labels, EMOTIONS, strict=True)) >= 7
    for each in found:
        assert isinstance(each, Classified)
        shares = [share for _, share in each.ranked]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)
        assert {label for label, _ in each.ranked} == set(taxonomy.get("mikels8").labels)


def test_classify_prints_three_labels_a_picture_and_goes_on_past_what_is_none(
    settings: Settings, pictures: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("no picture")
    console, text = on_paper()
    asked = [pictures[0], tmp_path / "note.txt", tmp_path / "gone.png", pictures[1]]
    assert classify_here(settings, asked, console) is False
    drawn, first, note, gone, second = said(text)
    assert "drawn pictures" in drawn
    assert first.startswith(f"{pictures[0]}: ")
    assert first.count("%") == second.count("%") == 3
    assert note == f"{tmp_path / 'note.txt'}: can't be read (it is no JPEG, PNG, WEBP, GIF, BMP, TIFF, PPM, AVIF file)"
    assert gone == f"{tmp_path / 'gone.png'}: can't be read (No such file or directory)"
    assert classify_here(settings, pictures[:2], console) is True


def test_classify_takes_any_vocabulary(settings: Settings, pictures: list[Path]) -> None:
    console, text = on_paper()
    classify_here(settings, pictures[:1], console, "sentiment")
    assert said(text)[1].count("%") == len(taxonomy.get("sentiment").labels)


def test_classify_without_a_projector_says_what_to_materialize(planted: Settings, pictures: list[Path]) -> None:
    with pytest.raises((StoreError, CheckpointError), match=r"projector/prototypes|projector/model"):
        classify_here(planted.model_copy(update={"encoder": ENCODER}), pictures, on_paper()[0])


def test_classify_needs_no_part_of_the_language_model() -> None:
    arguments = [sys.executable, "-c", MODULES]
    subprocess.run(arguments, check=True, cwd=Path(__file__).parents[2], timeout=120)


def test_reason_explains_every_picture_and_goes_on_past_what_is_none(
    settings: Settings, pictures: list[Path], tmp_path: Path
) -> None:
    pretrain(Store(settings.store), settings)
    finetune(Store(settings.store), settings)
    (tmp_path / "note.png").write_text("no picture")
    asked = [pictures[0], tmp_path / "note.png", pictures[1]]
    for label, withhold, shown in ((None, False, "%, "), ("awe", False, ": awe"), (None, True, ": label withheld")):
        console, text = on_paper()
        assert reason_here(settings, asked, label, withhold, console) is False
        lines = said(text)
        headed = [line for line in lines if str(pictures[0].parent) in line]
        assert len(headed) == 2
        assert all(shown in line for line in headed)
        assert sum("can't be " in line for line in lines) == 1
        assert len(lines) >= 6  # what was drawn, three pictures, two explanations


def test_reason_refuses_what_can_t_be_meant_before_anything_is_loaded(settings: Settings, pictures: list[Path]) -> None:
    console, _ = on_paper()
    with pytest.raises(MMLLMError, match="given or withheld, not both"):
        reason_here(settings, pictures, "awe", True, console)
    with pytest.raises(MMLLMError, match="The label 'joy' is none of mikels8: amusement"):
        reason_here(settings, pictures, "joy", False, console)
    with pytest.raises(StoreError, match="materialize mm_llm/finetuned first"):
        reason_here(settings, pictures, None, False, console)
