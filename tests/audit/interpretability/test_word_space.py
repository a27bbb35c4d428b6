from pathlib import Path

import numpy as np
import pytest
import torch

from tests.audit.interpretability.conftest import PLANTED, write_language_model
from tinyemo_data.audit.interpretability.whole_words import BYTE_LEVEL
from tinyemo_data.audit.interpretability.word_space import open_word_space
from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.language_model import LanguageModel
from tinyemo_data.projector.materialize import all_labels
from tinyemo_data.projector.prototypes import make_prototypes

SENTENCE = "shadow of {emotion} and tears"


def model(folder: Path, seed: int = 0) -> LanguageModel:
    return LanguageModel("planted", str(write_language_model(folder, dict(PLANTED), seed)), None)


@pytest.mark.parametrize("grounding_text", ["{emotion}", SENTENCE], ids=["word", "sentence"])
@pytest.mark.parametrize("centred", [False, True], ids=["as-stored", "centred"])
def test_points_of_labels_are_their_prototypes(tmp_path: Path, grounding_text: str, centred: bool) -> None:
    chosen = model(tmp_path / "lm")
    prototypes = make_prototypes(all_labels(), chosen.location, grounding_text=grounding_text)
    used = prototypes.centred() if centred else prototypes
    space = open_word_space(chosen, prototypes, used)
    labels = np.flatnonzero(space.labels)
    names = [space.words.words[number] for number in labels]
    assert sorted(names) == list(prototypes.words)
    expected = torch.nn.functional.normalize(used.for_labels(names).double(), dim=1).numpy()
    assert space.points(labels) == pytest.approx(expected, abs=1e-5)


def test_points_of_other_words_are_what_their_prototypes_would_be(tmp_path: Path) -> None:
    chosen = model(tmp_path / "lm")
    prototypes = make_prototypes(all_labels(), chosen.location, grounding_text=SENTENCE)
    space = open_word_space(chosen, prototypes, prototypes)
    made = make_prototypes(["grave", "puppy"], chosen.location, grounding_text=SENTENCE)
    found = space.points([space.words.words.index(word) for word in made.words])
    assert found == pytest.approx(torch.nn.functional.normalize(made.embeddings, dim=1).numpy(), abs=1e-5)


def test_blocks_hold_every_word_once_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyemo_data.audit.interpretability.word_space.ROWS_AT_ONCE", 100)
    chosen = model(tmp_path / "lm")
    prototypes = make_prototypes(all_labels(), chosen.location)
    space = open_word_space(chosen, prototypes, prototypes)
    blocks = list(space.blocks())
    assert [start for start, _ in blocks] == list(range(0, len(space), 100))
    assert np.concatenate([rows for _, rows in blocks]) == pytest.approx(space.points(range(len(space))))
    assert space.words.mark == BYTE_LEVEL
    assert not {"ing", "ness", "unk"} & set(space.words.words)


def test_open_word_space_refuses_another_model_than_that_of_the_prototypes(tmp_path: Path) -> None:
    prototypes = make_prototypes(all_labels(), model(tmp_path / "lm").location)
    with pytest.raises(LanguageModelError, match="prototypes are of lm; the embeddings of planted do not give them"):
        open_word_space(model(tmp_path / "other", seed=9), prototypes, prototypes)
