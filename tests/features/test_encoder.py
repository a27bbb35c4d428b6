"""The encoder: open_clip's visual tower, un-normalised, told apart by all that its features depend on."""

import socket
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image, ImageDraw

from tinyemo_data.errors import EncoderError
from tinyemo_data.features.encoder import Encoder, choose_device
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.settings import EncoderSettings


def tiny(**changes: object) -> EncoderSettings:
    return EncoderSettings.model_validate({"model": "tinyemo-vit", "device": "cpu"} | changes)


def crops(encoder: Encoder, pictures: list[Image.Image]) -> list[torch.Tensor]:
    return [encoder.preprocessing.crop(np.array(picture)) for picture in pictures]


def drawing(colour: str = "red", shape: str = "ellipse", place: tuple[int, int] = (40, 40)) -> Image.Image:
    picture = Image.new("RGB", (160, 128), "white")
    x, y = place
    box = (x - 24, y - 24, x + 24, y + 24)
    pen = ImageDraw.Draw(picture)
    if shape == "ellipse":
        pen.ellipse(box, fill=colour)
    else:
        pen.polygon([(x, y - 24), (x - 24, y + 24), (x + 24, y + 24)], fill=colour)
    return picture


def test_encode_equals_open_clips_encode_image_without_normalisation(encoder: Encoder) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, _, transform = open_clip.create_model_and_transforms("tinyemo-vit")
    pictures = [drawing(), drawing("blue"), drawing(shape="triangle")]
    with torch.no_grad():
        expected = model.eval().encode_image(torch.stack([transform(picture) for picture in pictures]))
    found = encoder.encode(crops(encoder, pictures))
    assert found.dtype == torch.float16 and found.shape == (3, 128)
    torch.testing.assert_close(found.float(), expected, rtol=0.01, atol=0.02)
    assert found.float().norm(dim=1).min() > 2, "features must not be normalised"


@pytest.mark.parametrize(
    "other",
    [drawing("blue"), drawing(shape="triangle"), drawing(place=(110, 90))],
    ids=["colour", "shape", "composition"],
)
def test_random_weights_tell_pictures_apart_by(other: Image.Image, encoder: Encoder) -> None:
    one, again, changed = encoder.encode(crops(encoder, [drawing(), drawing(), other])).float()
    assert torch.equal(one, again)
    # Grain, as recompression leaves it, must change a feature much less than another content does.
    noisy = np.clip(
        np.array(drawing(), dtype=np.int16) + np.random.default_rng(0).integers(-3, 4, (128, 160, 3)), 0, 255
    )
    grain = encoder.encode([encoder.preprocessing.crop(noisy.astype(np.uint8))])[0].float()
    assert (one - changed).norm() > 3 * (one - grain).norm()


def test_identity_depends_on_weights_preprocessing_and_precision_and_on_nothing_else() -> None:
    fingerprints = [
        Encoder(tiny()).identity.fingerprint,
        Encoder(tiny(seed=1)).identity.fingerprint,
        Encoder(tiny(precision="bf16")).identity.fingerprint,
    ]
    assert len(set(fingerprints)) == 3
    assert Encoder(tiny(batch_size=3)).identity == Encoder(tiny()).identity


def test_building_draws_no_random_numbers_of_the_caller() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Encoder(tiny())
    assert torch.equal(torch.rand(3), expected)


def test_building_with_random_weights_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert Encoder(tiny()).identity.dimension == 128


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_encode_gives_finite_float16_in_every_precision(precision: str, encoder: Encoder) -> None:
    low = Encoder(tiny(precision=precision))
    pictures = crops(low, [drawing(), drawing("blue")])
    found = low.encode(pictures)
    assert found.dtype == torch.float16 and torch.isfinite(found).all()
    torch.testing.assert_close(found.float(), encoder.encode(pictures).float(), rtol=0.1, atol=0.15)


def test_encode_gives_an_empty_table_for_no_pictures(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 128)


def saved_checkpoint(path: Path) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        torch.save(open_clip.create_model("tinyemo-vit").state_dict(), path)
    return path


def test_local_checkpoint_gives_the_weights_that_were_saved(tmp_path: Path) -> None:
    Encoder(tiny())  # declares the architecture
    path = saved_checkpoint(tmp_path / "Mine v2.pt")
    loaded = Encoder(tiny(pretrained=str(path)))
    assert loaded.identity.weights_digest == Encoder(tiny(seed=3)).identity.weights_digest
    assert loaded.identity.slug == "tinyemo-vit-mine-v2"


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut"], ids=["empty", "text", "zip"])
def test_damaged_checkpoint_is_an_encoder_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(content)
    with pytest.raises(EncoderError, match=r"tinyemo-vit.*broken\.pt.*checkpoint of this very model"):
        Encoder(tiny(pretrained=str(tmp_path / "broken.pt")))


def test_checkpoint_of_another_model_is_an_encoder_error(tmp_path: Path) -> None:
    torch.save({"visual.proj": torch.zeros(3, 3)}, tmp_path / "other.pt")
    with pytest.raises(EncoderError, match=r"other\.pt"):
        Encoder(tiny(pretrained=str(tmp_path / "other.pt")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "ViT-L-14-quickgelo"}, "Did you mean 'ViT-L-14-quickgelu'"),
        ({"model": "ViT-L-14-quickgelu", "pretrained": "opena"}, "Did you mean 'openai'"),
        ({"pretrained": "openai"}, "Known: none"),
        ({"pretrained": "weights/absent.pt"}, "there is no file weights/absent.pt"),
        ({"device": "tpu-ish"}, "there is no device 'tpu-ish'"),
        ({"device": "meta"}, "'meta' is not supported"),
        ({"device": "cuda:99"}, "'cuda:99' is asked for"),
    ],
    ids=["model", "tag", "tag_of_own_model", "path", "device", "meta", "cuda"],
)
def test_unknown_names_are_encoder_errors_that_name_the_nearest(changes: dict[str, str], message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        Encoder(tiny(**changes))


def test_choose_device_takes_what_the_machine_has() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_cuda_gives_the_features_of_the_cpu(precision: str, encoder: Encoder) -> None:
    cuda = Encoder(tiny(precision=precision, device="cuda"))
    pictures = crops(encoder, [drawing(), drawing("blue"), drawing(shape="triangle")])
    found, expected = cuda.encode(pictures).float(), encoder.encode(pictures).float()
    tolerance = 0.02 if precision == "fp32" else 0.15
    torch.testing.assert_close(found, expected, rtol=0.1, atol=tolerance)


@pytest.mark.parametrize(
    ("settings", "slug"),
    [
        ({"model": "ViT-L-14-quickgelu", "pretrained": "openai"}, "vit-l-14-quickgelu-openai"),
        ({"model": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"}, "vit-b-32-laion2b-s34b-b79k"),
        ({"model": "tinyemo-vit", "seed": 7}, "tinyemo-vit-seed7"),
        ({"model": "ViT-B-32", "pretrained": "/models/My CLIP.safetensors"}, "vit-b-32-my-clip"),
        ({"model": "hf-hub:org/Name", "pretrained": "../weights.pt"}, "hf-hub-org-name-weights"),
    ],
    ids=["openai", "laion", "random", "checkpoint", "odd_characters"],
)
def test_encoder_slug_is_a_folder_name(settings: dict[str, object], slug: str) -> None:
    assert encoder_slug(EncoderSettings.model_validate(settings)) == slug
