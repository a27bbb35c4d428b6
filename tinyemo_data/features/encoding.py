"""Encoding many pictures: threads read, check and decode while the encoder computes."""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyemo_data.features.content import ComputedBatch, Content, Failure
from tinyemo_data.features.decode import UnreadablePictureError
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.preprocess import Preprocessing
from tinyemo_data.features.statistics import PictureStatistics, picture_statistics
from tinyemo_data.features.statistics_table import statistics_frame

AHEAD = 2  # batches that are decoded while one is encoded: bounds memory at three batches of crops


@dataclass(frozen=True)
class Prepared:
    """A picture that is ready for the encoder."""

    sha256: str
    crop: torch.Tensor  # (3, height, width) uint8
    statistics: PictureStatistics


def encode_contents(encoder: Encoder, root: Path, batches: Iterable[list[Content]]) -> Iterator[ComputedBatch]:
    """Encode batches of pictures under `root`, in order; one that can't be encoded becomes a failure."""
    waiting: deque[tuple[list[Content], list[Future[Prepared | Failure]]]] = deque()
    decoders = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")
    try:
        for batch in batches:
            futures = [decoders.submit(prepare, content, root, encoder.preprocessing) for content in batch]
            waiting.append((batch, futures))
            if len(waiting) > AHEAD:
                yield _encode(encoder, *waiting.popleft())
        while waiting:
            yield _encode(encoder, *waiting.popleft())
    finally:
        decoders.shutdown(cancel_futures=True)


def prepare(content: Content, root: Path, preprocessing: Preprocessing) -> Prepared | Failure:
    """Read, check, decode and crop the first of a content's files that still holds it."""
    failure = Failure(content.sha256, "absent", "no file")
    for path in content.paths:
        try:
            found = (root / path).read_bytes()
        except FileNotFoundError:
            failure = Failure(content.sha256, "absent", f"{path}: the file is not there")
            continue
        except OSError as exc:
            failure = Failure(content.sha256, "unreadable", f"{path}: {exc.strerror}")
            continue
        if hashlib.sha256(found).hexdigest() != content.sha256:
            detail = f"{path}: its bytes are not those of the Sample table; materialize samples again"
            failure = Failure(content.sha256, "changed", detail)
            continue
        return _prepare_bytes(content.sha256, path, found, preprocessing)
    return failure


def _prepare_bytes(sha256: str, path: str, found: bytes, preprocessing: Preprocessing) -> Prepared | Failure:
    try:
        pixels = preprocessing.pixels(found)
        return Prepared(sha256, preprocessing.crop(pixels), picture_statistics(pixels))
    except UnreadablePictureError as exc:
        return Failure(sha256, exc.reason, f"{path}: {exc}")


def _encode(encoder: Encoder, batch: list[Content], futures: list[Future[Prepared | Failure]]) -> ComputedBatch:
    outcomes = [future.result() for future in futures]
    ready = [outcome for outcome in outcomes if isinstance(outcome, Prepared)]
    features = encoder.encode([picture.crop for picture in ready])
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    sha256 = [picture.sha256 for picture in ready]
    for row in (~torch.isfinite(features).all(dim=1)).nonzero().flatten().tolist():
        detail = "its feature is not finite in float16: another precision may help"
        failures.append(Failure(sha256[row], "not_finite", detail))
    finite = [row for row in range(len(ready)) if sha256[row] not in {failure.sha256 for failure in failures}]
    kept = [ready[row] for row in finite]
    return ComputedBatch(
        batch,
        [picture.sha256 for picture in kept],
        features[finite].numpy(),
        failures,
        statistics_frame([picture.sha256 for picture in kept], [picture.statistics for picture in kept]),
    )
