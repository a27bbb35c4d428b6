"""Candidates that nobody named: clusters of pictures in which the model tends to the same mistake.

A mixture of Gaussians over the main components of the picture features with the true and the predicted emotion
appended (Domino: Eyuboglu et al. 2022, eq. 1, weight 10), fitted on the discovery half. Which pictures belong to a
slice is then told by their *features alone*: membership by the prediction would make every slice confirm itself,
and so would the projected embeddings, from which the margins are computed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.bias.attributes import AttributeTable, Floats, Integers

COMPONENTS = 64
WEIGHT = 10.0
LIKELY = 0.5


@dataclass(frozen=True)
class LatentSlices:
    """Gaussians over the main components of picture features."""

    mean: Floats  # (d,)
    directions: Floats  # (d, k)
    centres: Floats  # (S, k)
    precisions: Floats  # (S, k): inverse variances
    log_weights: Floats  # (S,)

    def table(self, features: npt.NDArray[np.floating]) -> AttributeTable:
        """Return which pictures (N, d) belong to which slice: those of a posterior above one half."""
        reduced = (features.astype(np.float64) - self.mean) @ self.directions
        density = np.stack(
            [
                weight + 0.5 * np.log(precision).sum() - 0.5 * np.square(reduced - centre) @ precision
                for weight, centre, precision in zip(self.log_weights, self.centres, self.precisions, strict=True)
            ],
            axis=1,
        )
        likely = np.exp(density - density.max(axis=1, keepdims=True))
        values = (likely / likely.sum(axis=1, keepdims=True) > LIKELY).astype(np.int8)
        names = tuple(f"latent slice {number:02d}" for number in range(values.shape[1]))
        return AttributeTable(names, ("latent",) * len(names), values)


def find_latent_slices(
    features: npt.NDArray[np.floating], labels: Integers, predicted: Integers, classes: int, slices: int, seed: int
) -> LatentSlices:
    """Fit `slices` clusters on the discovery half's features (N, d), labels and predictions."""
    from sklearn.mixture import GaussianMixture  # here: only audits that ask for slices pay its import

    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    moment = (values - mean).T @ (values - mean)
    lengths, axes = np.linalg.eigh(moment)
    directions = axes[:, ::-1][:, :COMPONENTS]
    # Unit variance overall, so that the weight of the emotions means the same for any encoder.
    directions = directions / np.sqrt(max(float(lengths[::-1][:COMPONENTS].mean()) / len(values), 1e-12))
    reduced = (values - mean) @ directions
    emotions = WEIGHT * np.concatenate([np.eye(classes)[labels], np.eye(classes)[predicted]], axis=1)
    mixture = GaussianMixture(min(slices, len(values)), covariance_type="diag", reg_covar=1e-3, random_state=seed)
    mixture.fit(np.concatenate([reduced, emotions], axis=1))
    k = reduced.shape[1]
    return LatentSlices(
        mean, directions, mixture.means_[:, :k], 1 / mixture.covariances_[:, :k], np.log(mixture.weights_)
    )  # fmt: skip
