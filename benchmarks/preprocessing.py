"""Decoding and preprocessing: this project's path against Pillow with open_clip's own transform, on one core.

    python -m benchmarks.preprocessing

Gates: 2.4 times faster on 1024 × 768 JPEGs, and pixels within a mean of 0.05 grey levels over 150 random
sizes and subsamplings. Pictures are drawn: smooth colour fields with fine grain, as photographs have.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from open_clip.transform import PreprocessCfg, image_transform
from PIL import Image

from tinyemo_data.features.decode import decode_picture
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.preprocess import Preprocessing
from tinyemo_data.features.statistics import picture_statistics
from tinyemo_data.settings import EncoderSettings

SEED = 0
GRAIN = 5  # grey levels: gives 1024 × 768 JPEGs of about 200 KB at quality 90
SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
PEER = image_transform(224, is_train=False)
DECLARED = PreprocessCfg()
OURS = Preprocessing(224, 224, DECLARED.mean, DECLARED.std, "bicubic", "shortest")


def draw_jpeg(random: np.random.Generator, width: int, height: int, quality: int, subsampling: int) -> bytes:
    """Draw a picture of smooth colour fields and fine grain; return it as a JPEG."""
    coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    field = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = random.normal(0, GRAIN, (height, width, 1)).astype(np.float32)
    buffer = io.BytesIO()
    pixels = np.clip(field + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def prepare_by_peer(content: bytes) -> torch.Tensor:
    """Prepare a picture as open_clip's users do."""
    tensor: torch.Tensor = PEER(Image.open(io.BytesIO(content)).convert("RGB"))
    return tensor


def prepare(content: bytes) -> torch.Tensor:
    """Prepare a picture as this project does, normalisation included."""
    return OURS.normalise(OURS.crop(decode_picture(content))[None], torch.float32)[0]


def pictures_per_second(step: Callable[[bytes], object], pictures: list[bytes], repeats: int = 3) -> float:
    """Return the best rate of several passes over `pictures`."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for content in pictures:
            step(content)
        seconds.append(time.perf_counter() - start)
    return len(pictures) / min(seconds)


def measure_speed(pictures: int) -> bool:
    """Compare the rates at two qualities."""
    passed = True
    for quality in (90, 75):
        random = np.random.default_rng(SEED)
        contents = [draw_jpeg(random, 1024, 768, quality, SUBSAMPLINGS["4:2:0"]) for _ in range(pictures)]
        peer, ours = pictures_per_second(prepare_by_peer, contents), pictures_per_second(prepare, contents)
        ratio = ours / peer
        passed &= ratio >= 2.4
        print(f"1024 × 768, quality {quality}, 4:2:0, one core, N={pictures}, seed={SEED}:")
        print(f"  Pillow + open_clip's transform {peer:.0f}/s, this project {ours:.0f}/s")
        print(f"  ratio: {ratio:.2f} (gate: at least 2.4) {'PASS' if ratio >= 2.4 else 'FAIL'}")
    return passed


def measure_pixels(pictures: int) -> bool:
    """Compare the pixels over random sizes and subsamplings, in grey levels."""
    random = np.random.default_rng(SEED)
    std = torch.tensor(OURS.std).view(3, 1, 1)
    differences = []
    for number in range(pictures):
        width, height = (int(side) for side in random.integers(64, 1400, 2))
        subsampling = list(SUBSAMPLINGS.values())[number % len(SUBSAMPLINGS)]
        content = draw_jpeg(random, width, height, int(random.integers(60, 96)), subsampling)
        differences.append((((prepare(content) - prepare_by_peer(content)) * std * 255).abs().round()).flatten())
    levels = torch.cat(differences)
    worst_picture = max(float(difference.mean()) for difference in differences)
    print(f"pixels, {pictures} random sizes of 64 to 1,400, 3 subsamplings, seed={SEED}:")
    print(f"  {float((levels == 1).float().mean()):.2%} differ by one level, {int((levels > 1).sum())} values by more")
    print(f"  worst value: {int(levels.max())} levels; mean {float(levels.mean()):.4f}")
    passed = worst_picture < 0.05
    print(f"  mean of the worst picture: {worst_picture:.4f} (gate: below 0.05) {'PASS' if passed else 'FAIL'}")
    return passed


def measure_statistics(pictures: int) -> bool:
    """Measure the picture statistics on decoded pixels."""
    random = np.random.default_rng(SEED)
    contents = [draw_jpeg(random, 1024, 768, 90, 2) for _ in range(pictures)]
    decoded = iter([decode_picture(content) for content in contents] * 3)
    rate = pictures_per_second(lambda _: picture_statistics(next(decoded)), contents)
    print(f"statistics of 1024 × 768 decoded pixels, one core, N={pictures}, seed={SEED}:")
    print(f"  {rate:.0f} pictures/s (gate: at least 500) {'PASS' if rate >= 500 else 'FAIL'}")
    return rate >= 500


def crop_by(way: Preprocessing, content: bytes) -> torch.Tensor:
    """Decode and crop a picture."""
    return way.crop(way.pixels(content))


def measure_scaled(pictures: int) -> None:
    """Print what the lossy mode gains on large pictures, and how near its features are to the exact ones."""
    random = np.random.default_rng(SEED)
    contents = [draw_jpeg(random, 2048, 1536, 90, 2) for _ in range(pictures // 4)]
    exact = Encoder(EncoderSettings(model="tinyemo-vit", device="cpu"))
    scaled = Encoder(EncoderSettings(model="tinyemo-vit", device="cpu", decode="scaled"))
    rates = [pictures_per_second(partial(crop_by, way), contents) for way in (OURS, replace(OURS, decode="scaled"))]
    features = [
        encoder.encode([encoder.preprocessing.crop(encoder.preprocessing.pixels(content)) for content in contents])
        for encoder in (exact, scaled)
    ]
    cosine = torch.cosine_similarity(features[0].float(), features[1].float())
    print(f"scaled decoding of 2048 × 1536 JPEGs, one core, N={len(contents)}, seed={SEED}:")
    print(f"  {rates[1]:.0f}/s against {rates[0]:.0f}/s exact: {rates[1] / rates[0]:.2f} ×")
    print(
        f"  feature cosine to exact (tinyemo-vit, random weights): mean {cosine.mean():.5f}, least {cosine.min():.5f}"
    )


def main() -> None:
    """Measure speed, pixels and statistics; exit with 1 where a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    passed = [measure_speed(chosen.pictures), measure_pixels(150), measure_statistics(chosen.pictures)]
    measure_scaled(chosen.pictures)
    sys.exit(not all(passed))


if __name__ == "__main__":
    main()
