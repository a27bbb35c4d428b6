"""Features that others released: one `.pt` a picture, read without running what a pickle may hold."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.content import ComputedBatch, Content, Failure, only_dataset
from tinyemo_data.features.filling import FillReport, fill
from tinyemo_data.features.identity import released_identity
from tinyemo_data.features.tensor_file import UnexpectedTensorError, read_vector
from tinyemo_data.progress import Report
from tinyemo_data.store import Store

BATCH = 1024
PROBES = 25  # files that the released features' dimension is told from

Feature = npt.NDArray[np.float16]


def read_released_tensor(path: Path) -> Feature:
    """Read a `torch.save`d feature as a (D,) float16 array; nothing in the file is executed.

    Takes float16, float32 and bfloat16 of shape (D,) or (1, D) in the zip format. Raises FeatureError for
    anything else, for damage, and for values that are not finite in float16.
    """
    try:
        return read_vector(path)
    except (UnexpectedTensorError, OSError) as exc:
        raise FeatureError(
            f"{path}: expected one tensor as `torch.save` writes it (zip format, shape (D,), float16), "
            f"found {exc}. Get the file again, or save its tensor alone: `torch.save(tensor.half(), path)`."
        ) from exc


def feature_digest(feature: Feature) -> str:
    """Return the SHA-256 of a feature's little-endian float16 values, in hex: a sample's `sha256`."""
    return hashlib.sha256(feature.astype("<f2", copy=False).tobytes()).hexdigest()


def import_released_features(
    store: Store, samples: pl.DataFrame, root: Path, slug: str, progress: Report | None = None
) -> FillReport:
    """Fill the cache of encoder `slug` from the `.pt` files of one dataset's Sample table.

    `root` is the dataset's folder. A file that can't be read, or is no longer what its sample says, becomes a
    row of the report's `failed` and is tried again next time. Raises FeatureError where no file is readable,
    and for samples of several datasets or of pictures.
    """
    dataset = only_dataset(samples, "feature")
    encoder = released_identity(slug, _dimension(samples.sort("sample_id")["image_path"].to_list(), root))

    def compute(batches: Iterable[list[Content]]) -> Iterator[ComputedBatch]:
        for batch in batches:
            yield _read_batch(batch, root, encoder.dimension)

    return fill(store, dataset, samples, encoder, compute, BATCH, progress)


def _dimension(paths: list[str], root: Path) -> int:
    """Return the most frequent dimension among files spread over the dataset."""
    found: Counter[int] = Counter()
    failure: FeatureError | None = None
    spread = paths[:: max(1, len(paths) // PROBES)]
    for path in [*spread, *paths]:
        try:
            found[len(read_released_tensor(root / path))] += 1
        except FeatureError as exc:
            failure = exc
        if sum(found.values()) >= min(PROBES, len(spread)):
            break
    if not found:
        raise FeatureError(f"None of the {len(paths)} released features under {root} can be read. The last: {failure}")
    return found.most_common(1)[0][0]


def _read_batch(batch: list[Content], root: Path, dimension: int) -> ComputedBatch:
    features: dict[str, Feature] = {}
    failures: list[Failure] = []
    for content in batch:
        outcome = _read_content(content, root, dimension)
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            features[content.sha256] = outcome
    rows = np.stack(list(features.values())) if features else np.empty((0, dimension), np.float16)
    return ComputedBatch(batch, list(features), rows, failures)


def _read_content(content: Content, root: Path, dimension: int) -> Feature | Failure:
    """Read the first of a content's files that is what its sample says."""
    failure = Failure(content.sha256, "absent", "no file")
    for path in content.paths:
        try:
            feature = read_released_tensor(root / path)
        except FeatureError as exc:
            reason = "unreadable" if (root / path).exists() else "absent"
            failure = Failure(content.sha256, reason, str(exc))
            continue
        if len(feature) != dimension:
            detail = f"{path}: {len(feature)} values, where the others have {dimension}"
            failure = Failure(content.sha256, "other_dimension", detail)
        elif feature_digest(feature) != content.sha256:
            detail = f"{path}: its values are not those of the Sample table; materialize samples again"
            failure = Failure(content.sha256, "changed", detail)
        else:
            return feature
    return failure
