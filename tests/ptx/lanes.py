"""What the lanes of a warp do together. All arrays hold whole warps, lane by lane."""

import numpy as np

from ops import Fault

WARP = 32
BITS = np.arange(WARP, dtype=np.uint32)


def demand(mask, lane):
    """Demands masks that name every lane: those that take part, and none that is elsewhere."""
    if (mask != np.uint32(0xFFFFFFFF)).any():
        here = (mask >> lane & np.uint32(1)).all()
        raise Fault(f"a mask {'names some lanes only' if here else 'does not name a lane that takes part'}")


def shuffle(mode, value, lane, by, clamp):
    """The value of another lane ("PTX ISA", shfl.sync), and whether there was one in range."""
    segment, step = clamp >> 8 & 31, by & 31
    most, least = lane & segment | clamp & 31 & ~segment, lane & segment
    if mode == "up":
        source = lane - step
        valid = source >= most
    else:
        source = {"bfly": lane ^ step, "down": lane + step, "idx": least | step & ~segment}[mode]
        valid = source <= most
    source = np.where(valid, source, lane).reshape(-1, WARP)
    return np.take_along_axis(value.reshape(-1, WARP), source, 1).ravel(), valid


def ballot(vote):
    """The votes of a warp, a bit a lane."""
    votes = vote.reshape(-1, WARP).astype(np.uint32)
    return np.repeat((votes << BITS).sum(1, dtype=np.uint32), WARP)
