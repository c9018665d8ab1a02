"""The firing sets as they are defined (docs/DEFINITION.md), independent of atomscope:
scores by torch's product in binary64, and where these are too close for that, by the canonical sum.
"""

import numpy as np
import torch

ROUND64, ROUND32 = 2.0**-53, 2.0**-24
LANES = 32


def canonical_scores(x, weight, bias):
    """Scores [A] of one row x [D] with weight [A, D], all binary32, in the defined order: 32 lanes,
    each summed in ascending order from +0, then a butterfly, then the bias."""
    # Numbers past the end are +0, which changes no sum that began at +0.
    steps = -(-len(x) // LANES)
    products = np.zeros((len(weight), steps * LANES))
    products[:, :len(x)] = weight.astype(np.float64) * x.astype(np.float64)
    lanes = np.zeros((len(weight), LANES))
    for step in range(steps):
        lanes += products[:, step * LANES:(step + 1) * LANES]
    for half in (16, 8, 4, 2, 1):
        lanes = lanes[:, :half] + lanes[:, half:2 * half]
    return lanes[:, 0] + bias.astype(np.float64)


class Definition:
    """A model whose firing sets are computed by the definition."""

    def __init__(self, weight, bias, mean, divisor, k):
        self.weight, self.bias, self.mean, self.divisor = weight, bias, mean, divisor
        self.k, self.features, self.input_dim = k, weight.shape[0], weight.shape[1]
        self.weight64, self.bias64 = weight.double().T, bias.double()
        self.norm = self.weight64.norm(dim=0).max().item()
        self.most_bias = self.bias64.abs().max().item()

    def whiten(self, rows):
        return (rows - self.mean) / self.divisor

    def scores(self, x):
        return torch.addmm(self.bias64, x.double(), self.weight64)

    def tolerance(self, x):
        """How far apart [n, 1] two scores must be for torch's to stand in canonical order. Either
        sum is within (D + 2) u (|x| |w| + |b|) of the true value (Cauchy-Schwarz), so that a score is
        within twice that of the canonical one, and a difference within four times."""
        size = x.double().norm(dim=1, keepdim=True) * self.norm + self.most_bias
        # The last factor covers the rounding of this bound itself.
        return 4 * (self.input_dim + 2) * ROUND64 * size * (1 + 1e-6)

    def sets(self, rows):
        """The firing sets [n, k] of a chunk, ascending, and on how many rows of it scores were so
        close that the canonical sum decided."""
        if self.k >= self.features:
            return np.tile(np.arange(self.features, dtype=np.int64), (len(rows), 1)), 0
        x = self.whiten(rows)
        scores = self.scores(x)
        best, atoms = torch.topk(scores, self.k + 1, dim=1, sorted=True)
        tolerance = self.tolerance(x)
        gap = best[:, self.k - 1:self.k] - best[:, self.k:]
        close = torch.nonzero((gap <= tolerance)[:, 0])[:, 0].tolist()
        sets = np.sort(atoms[:, :self.k].cpu().numpy(), axis=1)
        for row in close:
            kth = best[row, self.k - 1].item()
            sets[row] = self.settle(x[row], scores[row], kth, tolerance[row].item())
        return sets, len(close)

    def settle(self, x, scores, kth, tolerance):
        """The set of a row where the k-th score has rivals: all that are clearly above it, and the
        best of the rivals in canonical order, equal ones by the lowest atom."""
        scores = scores.cpu().numpy()
        certain = np.flatnonzero(scores > kth + tolerance)
        rivals = np.flatnonzero(np.abs(scores - kth) <= tolerance)
        at = torch.as_tensor(rivals, device=self.weight.device)
        exact = canonical_scores(x.cpu().numpy(), self.weight[at].cpu().numpy(),
                                 self.bias[at].cpu().numpy())
        order = np.lexsort((rivals, -exact))
        return np.sort(np.concatenate([certain, rivals[order[:self.k - len(certain)]]]))

    def near_tie(self, rows, ours, theirs):
        """For each row whose set ours [n, k] is not theirs: by how much the best atom that only ours
        has exceeds the worst that only theirs has, and what of it the rounding of a sum in binary32
        can explain: (gap, bound). A score is within (D + 2) u times the sum of its terms' sizes."""
        x = self.whiten(rows)
        scores = self.scores(x).cpu().numpy()
        x, found = x.double().abs(), []
        for row in range(len(rows)):
            lost = np.setdiff1d(ours[row], theirs[row])
            gained = np.setdiff1d(theirs[row], ours[row])
            gap = scores[row, lost].max() - scores[row, gained].min()
            at = torch.as_tensor(np.concatenate([lost, gained]).astype(np.int64),
                                 device=self.weight.device)
            sizes = self.weight[at].double().abs() @ x[row] + self.bias64[at].abs()
            bound = 2 * (self.input_dim + 2) * ROUND32 * sizes.max().item()
            found.append((float(gap), bound))
        return found
