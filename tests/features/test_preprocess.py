"""The fast path gives the pixels of Pillow and open_clip's own transform."""

import io
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.transform import PreprocessCfg, image_transform
from PIL import Image, ImageOps

from tinyemo_data.features.decode import (
    UnreadablePictureError,
    decode_by_pillow,
    decode_photograph,
    decode_picture,
)
from tinyemo_data.features.preprocess import Preprocessing

DECLARED = PreprocessCfg()
GRAIN = 6


Mode = Literal["shortest", "squash", "longest"]
Interpolation = Literal["bicubic", "bilinear"]


def preprocessing(
    size: tuple[int, int] = (224, 224), mode: Mode = "shortest", interpolation: Interpolation = "bicubic"
) -> Preprocessing:
    return Preprocessing(*size, DECLARED.mean, DECLARED.std, interpolation, mode)


def draw(width: int, height: int, seed: int = 0) -> Image.Image:
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    field = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray(np.clip(field + random.normal(0, GRAIN, field.shape), 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def reference(content: bytes, ours: Preprocessing) -> torch.Tensor:
    """Return the peer's result in grey levels: Pillow, upright, and open_clip's own transform."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    transform = image_transform(
        (ours.height, ours.width),
        is_train=False,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        resize_mode=ours.resize_mode,
        interpolation=ours.interpolation,
    )
    levels: torch.Tensor = transform(picture) * 255
    return levels.round()


def difference(content: bytes, ours: Preprocessing) -> torch.Tensor:
    return (ours.crop(decode_picture(content)).float() - reference(content, ours)).abs()


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(30, 700),
    height=st.integers(30, 700),
    subsampling=st.sampled_from([0, 1, 2]),
    quality=st.integers(50, 97),
    progressive=st.booleans(),
)
def test_crop_is_within_a_twentieth_of_a_grey_level_of_open_clip_over_sizes_and_subsamplings(
    width: int, height: int, subsampling: int, quality: int, progressive: bool
) -> None:
    content = encoded(draw(width, height), "JPEG", subsampling=subsampling, quality=quality, progressive=progressive)
    levels = difference(content, preprocessing())
    assert levels.mean() < 0.05 and levels.max() <= 4


@pytest.mark.parametrize(
    "size", [(500, 400), (400, 500), (224, 224), (225, 700), (1000, 90), (90, 1000), (64, 64)], ids=str
)
@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_crop_follows_the_geometry_of_each_resize_mode(
    size: tuple[int, int], mode: Mode, interpolation: Interpolation
) -> None:
    ours = preprocessing(mode=mode, interpolation=interpolation)
    levels = difference(encoded(draw(*size), "PNG"), ours)
    assert levels.shape == (3, 224, 224) and levels.mean() < 0.05 and levels.max() <= 4


def test_crop_follows_open_clip_when_the_encoder_sees_no_square() -> None:
    ours = preprocessing(size=(160, 224))
    assert difference(encoded(draw(640, 300), "PNG"), ours).max() == 0


def test_normalised_crop_equals_open_clips_own_tensor() -> None:
    content = encoded(draw(400, 300), "PNG")
    ours = preprocessing()
    found = ours.normalise(ours.crop(decode_picture(content))[None], torch.float32)[0]
    expected = image_transform(224, is_train=False)(Image.open(io.BytesIO(content)))
    assert (found - expected).abs().mean() < 0.05 / 255 / min(DECLARED.std)


def with_alpha(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def rotated(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


UNUSUAL = {
    "cmyk_jpeg": encoded(draw(320, 260).convert("CMYK"), "JPEG", quality=90),
    "grey_jpeg": encoded(draw(320, 260).convert("L"), "JPEG", quality=90),
    "palette_png": encoded(draw(320, 260).convert("P"), "PNG"),
    "palette_gif": encoded(draw(320, 260), "GIF"),
    "alpha_png": encoded(with_alpha(draw(320, 260)), "PNG"),
    "grey_alpha_png": encoded(with_alpha(draw(320, 260)).convert("LA"), "PNG"),
    "one_bit_png": encoded(draw(320, 260).convert("1"), "PNG"),
    "webp": encoded(draw(320, 260), "WEBP", quality=90),
    "bmp": encoded(draw(320, 260), "BMP"),
    "tiff": encoded(draw(320, 260), "TIFF"),
    **{f"exif_{way}_jpeg": encoded(draw(320, 260), "JPEG", exif=rotated(way)) for way in range(1, 9)},
    "exif_6_png": encoded(draw(320, 260), "PNG", exif=rotated(6)),
}


@pytest.mark.parametrize("content", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_unusual_pictures_give_the_pixels_of_pillow(content: bytes) -> None:
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    np.testing.assert_array_equal(decode_picture(content), np.asarray(upright))
    assert difference(content, preprocessing()).mean() < 0.05


def test_rotated_photographs_are_left_to_pillow_and_upright_ones_are_not() -> None:
    assert decode_photograph(UNUSUAL["exif_6_jpeg"]) is None
    assert decode_photograph(UNUSUAL["cmyk_jpeg"]) is None
    assert decode_photograph(UNUSUAL["exif_1_jpeg"]) is not None
    assert decode_photograph(encoded(draw(64, 48), "JPEG")) is not None


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 300 * 240).reshape(240, 300).astype(np.uint16)
    pixels = decode_picture(encoded(Image.fromarray(ramp), kind))
    np.testing.assert_array_equal(pixels, np.repeat((ramp >> 8).astype(np.uint8)[..., None], 3, axis=2))


@settings(max_examples=10, deadline=None)
@given(width=st.integers(1, 300), height=st.integers(1, 300), subsampling=st.sampled_from([0, 1, 2]))
def test_both_decoders_agree_bit_for_bit(width: int, height: int, subsampling: int) -> None:
    content = encoded(draw(width, height), "JPEG", subsampling=subsampling)
    fast = decode_photograph(content)
    assert fast is not None
    np.testing.assert_array_equal(fast, decode_by_pillow(content))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300), prefix=st.sampled_from(["", "jpeg", "png", "gif", "webp", "tiff", "bmp"]))
def test_decode_picture_gives_pixels_or_a_reason_when_bytes_are_noise(content: bytes, prefix: str) -> None:
    start = encoded(draw(8, 8), prefix)[:40] if prefix else b""
    try:
        pixels = decode_picture(start + content)
    except UnreadablePictureError as error:
        assert error.reason in {"undecodable", "truncated", "too_large"} and str(error)
        return
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_decode_picture_refuses_truncated_files(kind: str) -> None:
    content = encoded(draw(300, 200), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(UnreadablePictureError):
            decode_picture(content[: int(len(content) * share)])


def test_crop_refuses_a_strip_that_would_fill_the_memory() -> None:
    strip = np.zeros((1, 2_000_000, 3), dtype=np.uint8)
    with pytest.raises(UnreadablePictureError, match="2000000 × 1") as caught:
        preprocessing().crop(strip)
    assert caught.value.reason == "too_elongated"


def test_digest_differs_when_anything_of_the_preprocessing_does() -> None:
    digests = {
        preprocessing().digest,
        preprocessing(size=(336, 336)).digest,
        preprocessing(mode="squash").digest,
        preprocessing(interpolation="bilinear").digest,
        Preprocessing(224, 224, (0.5, 0.5, 0.5), DECLARED.std, "bicubic", "shortest").digest,
    }
    assert len(digests) == 5
    assert preprocessing().digest == preprocessing().digest


def test_scaled_decoding_gives_a_near_crop_and_another_digest() -> None:
    exact = Preprocessing(64, 64, DECLARED.mean, DECLARED.std, "bicubic", "shortest")
    scaled = replace(exact, decode="scaled")
    field = np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None].repeat(480, axis=0).repeat(3, axis=2)
    buffer = io.BytesIO()
    Image.fromarray(field).save(buffer, "JPEG", quality=95)
    whole, small = exact.pixels(buffer.getvalue()), scaled.pixels(buffer.getvalue())
    assert whole.shape == (480, 640, 3)
    assert 64 <= small.shape[0] < 480
    difference = (exact.crop(whole).float() - scaled.crop(small).float()).abs().mean()
    assert difference < 3
    assert exact.digest != scaled.digest
