"""Cases of kernels/select_groups.cu: the largest score of each group of consecutive atoms."""

from case import Case
from twins.numbers import F32
from twins.select import ABOVE_ZERO, EVERY, GROUPS, Batch, threads_for


def case(seed, groups, size, courses, relative, more="", change=None, **wishes):
    batch = Batch(seed, groups * size, groups, courses, relative, ABOVE_ZERO | GROUPS, **wishes)
    if change:
        change(batch)
        batch.settle()
    name = f"{batch.rows} rows of {groups} groups of {size}{more}"
    shared = 12 * batch.capacity + 4 * groups
    return Case(name, "select_groups", "select_groups", batch.rows, threads_for(batch.features), shared,
                *batch.memory(), batch.argument, batch.check)


def equal_scores(batch):
    batch.biases[:] = 0
    batch.scores[0], batch.scores[1] = F32(2.5), F32(-3)
    batch.scores[2], batch.scores[3] = F32(0), F32(-0.0)


def cases():
    return [
        case(1, 7, 43, EVERY, 1e-3),
        case(2, 64, 5, EVERY, 1e-5),
        case(3, 1, 300, EVERY, 1e-3),
        case(4, 300, 1, EVERY[:3], 1e-4, capacity=1024),
        case(5, 4, 512, ("smooth", "rising"), 1e-6),
        case(6, 3, 129, ("smooth", "close", "levels"), 0, capacity=512),
        case(7, 20, 35, ("smooth",) * 6, 0.03, ", little room for pairs", room=30),
        case(8, 9, 60, ("smooth", "zeros"), 0.5, ", little room", capacity=64),
        case(9, 8, 17, ("smooth",) * 4, 1e-6, ", equal scores", equal_scores),
        case(10, 5, 130, ("smooth",) * 5, 1e-3, ", bad rows", bad=(1, 4)),
        case(11, 1, 1, ("smooth", "zeros"), 1e-3),
        case(12, 10, 205, ("smooth", "falling"), 1e-4),
    ]
