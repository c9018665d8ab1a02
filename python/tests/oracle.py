"""The definition of the answer in numpy, without a line of the program's own."""

import numpy as np


def whiten(x, mean, std):
    """The whitening as torch computes it in binary32."""
    x = np.asarray(x).astype(np.float32)
    return (x - np.float32(mean)) / (np.asarray(std, dtype=np.float32) + np.float32(1e-6))


def scores(x, weight, bias):
    """Canonical scores in binary64: 32 lanes of products, a butterfly, the bias."""
    rows, dim = x.shape
    wide = -(-dim // 32) * 32
    padded = np.zeros((rows, wide))
    padded[:, :dim] = x
    weights = np.zeros((weight.shape[0], wide))
    weights[:, :dim] = weight
    lanes = np.zeros((rows, weight.shape[0], 32))
    for start in range(0, wide, 32):
        lanes += padded[:, None, start : start + 32] * weights[None, :, start : start + 32]
    for distance in (16, 8, 4, 2, 1):
        lanes = lanes + lanes[:, :, np.arange(32) ^ distance]
    return lanes[:, :, 0] + bias.astype(np.float64)


def top_k(all_scores, k):
    """The k largest of each row, equal ones to the lowest atom: atoms ascending, and their scores."""
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    atoms = np.sort(order, axis=1)
    return atoms.astype(np.uint32), np.take_along_axis(all_scores, atoms, axis=1)
