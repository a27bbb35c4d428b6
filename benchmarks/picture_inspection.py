"""Looking at one picture on one core: is it whole, its two fingerprints, and its statistics.

    python -m benchmarks.picture_inspection

The 274 photographs of OASIS (500 × 400) under TINYEMO_SHARED, warm. `inspect_picture` reads and decodes the whole
file (luma at reduced size) and makes SHA-256 and perceptual hash; `picture_statistics` looks at pixels that the
encoder has decoded. The alternative is Pillow + hashlib + imagehash, as most projects do it. Gate: 500
pictures a second and core for both together, in processor time, which other work on the machine does not change.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import imagehash
import torch
from PIL import Image

from tinyemo_data.features.decode import decode_picture
from tinyemo_data.features.statistics import picture_statistics
from tinyemo_data.sources.picture import PictureFacts, inspect_picture

REPEATS = 5
GATE = 500


def seconds_a_picture(look: Callable[[Path], object], paths: list[Path]) -> float:
    """Return the fastest of several rounds' processor seconds a picture: the others were disturbed."""
    rounds = []
    for _ in range(REPEATS):
        began = time.process_time()
        for path in paths:
            look(path)
        rounds.append((time.process_time() - began) / len(paths))
    return min(rounds)


def plain(path: Path) -> None:
    """Look at a picture as most projects do."""
    hashlib.sha256(path.read_bytes()).hexdigest()
    with Image.open(path) as image:
        image.load()
        str(imagehash.phash(image))


def differing_bits(path: Path) -> int:
    """Return by how many of 64 bits our hash differs from imagehash's."""
    facts = inspect_picture(path)
    assert isinstance(facts, PictureFacts), path
    with Image.open(path) as image:
        return (int(facts.phash, 16) ^ int(str(imagehash.phash(image)), 16)).bit_count()


def main() -> int:
    torch.set_num_threads(1)
    folder = Path(os.environ.get("TINYEMO_SHARED", "../shared")) / "data" / "oasis" / "images"
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        print(f"skipped: there are no photographs under {folder} (TINYEMO_SHARED)")
        return 0
    pixels = {path: decode_picture(path.read_bytes()) for path in paths}
    inspect = seconds_a_picture(inspect_picture, paths)
    measure = seconds_a_picture(lambda path: picture_statistics(pixels[path]), paths)
    decode = seconds_a_picture(lambda path: decode_picture(path.read_bytes()), paths)
    alternative = seconds_a_picture(plain, paths)
    together = 1 / (inspect + measure)
    bits = [differing_bits(path) for path in paths]
    print(f"N={len(paths)}, OASIS photographs, one core, warm, best of {REPEATS}, processor time")
    print(f"  inspect_picture: {1 / inspect:,.0f}/s; picture_statistics: {1 / measure:,.0f}/s of decoded pixels")
    print(f"  (the encoder's own decoding, which statistics share: {1 / decode:,.0f}/s)")
    print(f"  Pillow + hashlib + imagehash: {1 / alternative:,.0f}/s; ratio {alternative / inspect:.1f}")
    print(f"  hashes differ from imagehash's by {sum(bits) / len(bits):.2f} of 64 bits on average, {max(bits)} at most")
    print(f"  both together: {together:,.0f}/s (gate: at least {GATE}) {'PASS' if together >= GATE else 'FAIL'}")
    return 0 if together >= GATE else 1


if __name__ == "__main__":
    sys.exit(main())
