"""The passes over rows that are timed here and, on rows that lie on a GPU, by benches/gpu: torch alone.

A model is anything with `weight` [F, D], `bias` [F], `mean` and `divisor` [1, D], and `k`. The dtype
of its weights is the precision of the product.
"""

import torch


def expert_sets(rows, model):
    """The atoms [n, k] that fire on a chunk of rows, in no order."""
    x = rows - model.mean
    x /= model.divisor
    scores = torch.nn.functional.linear(x.to(model.weight.dtype), model.weight, model.bias)
    return torch.topk(scores, model.k, dim=-1, sorted=False).indices


def expert_counts(rows, strata, counts, model, chunk, move=lambda rows: rows, keep=None):
    """Adds to counts [strata, F] on how many rows each atom fires. `strata` [N] is integer; `move`
    brings a chunk of rows to where the model is; `keep`, where given, takes all sets [N, k]."""
    features = model.weight.shape[0]
    flat = counts.view(-1)
    for first in range(0, len(rows), chunk):
        part = slice(first, first + chunk)
        atoms = expert_sets(move(rows[part]), model)
        if keep is not None:
            keep[part] = atoms
        cells = atoms + strata[part].unsqueeze(1) * features
        flat += torch.bincount(cells.view(-1), minlength=flat.numel())


def notebook_sets(x, encoder, k):
    """The notebook's way: every row at once. The atoms [N, k], an indicator [N, F], and the dense
    scores [N, F], which it keeps."""
    features = encoder(x)
    _, acts = torch.topk(features, k, dim=-1)
    indicator = torch.zeros(features.shape, dtype=torch.bool, device=x.device)
    indicator.scatter_(1, acts, True)
    return acts, indicator, features


def notebook_label_counts(indicator, labels, atom):
    """The notebook's way: true and false calls on which one atom fires."""
    return int(indicator[labels, atom].sum()), int(indicator[~labels, atom].sum())


def notebook_type_counts(acts, chosen, atom):
    """The notebook's way: calls on which one atom fires, of the chosen type and of all others."""
    fires = (acts == atom).any(dim=1)
    return (fires & chosen).sum().item(), (fires & ~chosen).sum().item()
