"""The losses that a projector can learn from, each in the symbols of its paper.

Everywhere `v` (B, h) are projected pictures and `t` (B, h) the text embeddings of their labels, row by row,
both of unit length, so that `v @ t.T` are cosine similarities; `labels` (B,) are the labels' numbers; T is
the temperature. Each loss is a mean, and zero (yet differentiable) where a batch has nothing to compare.
`weights` (B,), of mean 1 over all rows, say how much each picture counts; texts have no weight of their own.
"""

import torch
from torch import Tensor
from torch.nn import functional


def cosine(v: Tensor, t: Tensor, margin: float = 0.5, weights: Tensor | None = None) -> Tensor:
    """CosineEmbedding, `mean(1 - v·t)`, as the original calls it.

    All its pairs are positive, so that the margin (which only negative pairs have) takes no part.
    """
    if len(v) == 0:
        return v.sum()
    positive = torch.ones_like(v[:, 0])
    if weights is None:
        return functional.cosine_embedding_loss(v, t, positive, margin=margin)
    return (weights * functional.cosine_embedding_loss(v, t, positive, margin=margin, reduction="none")).mean()


def nt_xent(
    v: Tensor,
    t: Tensor,
    labels: Tensor,
    temperature: float = 0.07,
    own_text: bool = False,
    weights: Tensor | None = None,
) -> Tensor:
    """NT-Xent of pictures against texts (Chen et al. 2020, eq. 1, over all pairs of equal label).

    Mean over the pairs (i, j) of equal label of `-log(exp(s_ij/T) / (exp(s_ij/T) + Σ_n exp(s_in/T)))`, where
    n runs over the texts of other labels. Equal to pytorch-metric-learning's `NTXentLoss` with the texts as
    reference, its smallest-number floor included, in B² memory: of the denominator only the positive differs
    from pair to pair. The original hands that library one label tensor twice, by which it leaves out the pairs
    (i, i): a picture whose label occurs once in the batch then learns nothing. `own_text` keeps those pairs.
    """
    same = labels[:, None] == labels[None, :]  # (B, B)
    positive = same if own_text else same & ~torch.eye(len(v), dtype=torch.bool, device=v.device)
    if len(v) == 0 or bool(same.all()) or not bool(positive.any()):
        return v.sum() * 0
    s = v @ t.T / temperature
    negatives = s.masked_fill(same, -torch.inf).logsumexp(dim=1, keepdim=True)  # log Σ_n exp(s_in/T)
    likelihood = torch.sigmoid(s - negatives)[positive]
    logarithms = torch.log(likelihood + torch.finfo(s.dtype).tiny)
    return -_mean(logarithms, None if weights is None else weights[:, None].expand_as(s)[positive])


def info_nce(
    v: Tensor, t: Tensor, labels: Tensor, texts: Tensor, temperature: float = 0.1, weights: Tensor | None = None
) -> Tensor:
    """InfoNCE (van den Oord et al. 2018, eq. 4) with each picture's own text as its positive.

    Negatives are the batch's texts of other labels. A text that equals the picture's own (`texts` (B,)
    numbers the distinct texts) or has its label is none: this is what mends the original (see
    `info_nce_original`).
    """
    if len(v) == 0:
        return v.sum()
    same = (labels[:, None] == labels[None, :]) | (texts[:, None] == texts[None, :])
    s = v @ t.T / temperature
    own = (v * t).sum(dim=1) / temperature
    negatives = s.masked_fill(same, -torch.inf).logsumexp(dim=1)
    return _mean(functional.softplus(negatives - own), weights)


def info_nce_original(
    v: Tensor, t: Tensor, labels: Tensor, temperature: float = 0.1, weights: Tensor | None = None
) -> Tensor:
    """The original's infoNCE with its fault, kept to compare against.

    For a picture whose label occurs m times in the batch it adds the first m - 2 *negatives* (in the batch's
    order) to the numerator, and it leaves out a picture whose label occurs once.
    """
    same = labels[:, None] == labels[None, :]
    others = same.sum(dim=1) - 1  # rows of equal label, without itself
    counted = (others > 0) & ~same.all(dim=1)
    if len(v) == 0 or not bool(counted.any()):
        return v.sum() * 0
    s = v @ t.T / temperature
    own = (v * t).sum(dim=1, keepdim=True) / temperature
    rank = (~same).cumsum(dim=1)  # the r-th negative of its row, from 1
    taken_as_positive = ~same & (rank <= others[:, None] - 1)
    numerator = torch.cat([own, s.masked_fill(~taken_as_positive, -torch.inf)], dim=1).logsumexp(dim=1)
    denominator = torch.cat([own, s.masked_fill(same, -torch.inf)], dim=1).logsumexp(dim=1)
    return _mean((denominator - numerator)[counted], None if weights is None else weights[counted])


def prototype_softmax(
    v: Tensor,
    t: Tensor,
    labels: Tensor,
    prototypes: Tensor,
    candidates: Tensor,
    temperature: float = 0.5,
    weights: Tensor | None = None,
) -> Tensor:
    """Cross-entropy over the cosine similarities to the prototypes that the sample's own taxonomy offers.

    `prototypes` (W, h) are all labels' embeddings, of unit length; `labels` point into them; `candidates` (B,
    W) tell which labels each sample's taxonomy has. The true label's similarity is to `t`, which may be a
    synonym of it.
    """
    if len(v) == 0:
        return v.sum()
    s = v @ prototypes.T  # (B, W)
    s = s.scatter(1, labels[:, None], (v * t).sum(dim=1, keepdim=True))
    logits = s.masked_fill(~candidates, -torch.inf) / temperature
    if weights is None:
        return functional.cross_entropy(logits, labels)
    return (weights * functional.cross_entropy(logits, labels, reduction="none")).mean()


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    return values.mean() if weights is None else (weights * values).mean()
