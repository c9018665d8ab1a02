"""Twin of kernels/whiten.cu: whitened rows, operands and exponents to the bit; norms from above.

What norms are of stands in src/engine/cuda/margin.rs; here they are summed in 80 bits."""

import struct

import numpy as np

from case import Case, Output, same, untouched
from twins.numbers import F32, F64, KINDS, vector

HALF, SPLIT, SINGLE = range(3)
ELEMENTS = ("half", "bfloat", "single", "double")
FACTS = ("error", "norm", "low", "whole", "offset", "bias_scale", "coarse", "exponent", "finite", "largest")
FACTS_KIND = np.dtype([(n, {"exponent": "i4", "finite": "u4"}.get(n, "f4")) for n in FACTS])
UNITS = {"weight_exponent": 0, "bias_exponent": 0, "least_exponent": 0, "largest_bias": 0.0,
         "largest_whole": 0.0, "largest_spread": 0.0, "low_weight": 0.0, "fixed_exponent": 0, "fixed": 0,
         "biased": 0}


def stored(element, numbers):
    """Numbers as they are stored, and what they are as binary32."""
    with np.errstate(all="ignore"):
        if element == "half":
            own = numbers.astype(np.float16)
            return own.view(np.uint16), own.astype(F32)
        if element == "bfloat":
            own = (numbers.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
            return own, (own.astype(np.uint32) << np.uint32(16)).view(F32)
        if element == "double":
            own = numbers.astype(F64) * F64(1 + 2**-30)
            return own, own.astype(F32)
    return numbers, numbers


def norm(numbers):
    return np.sqrt((numbers.astype(np.longdouble) ** 2).sum(1))


class Twin:
    """What all rows become."""

    def __init__(self, wide, mean, divisor, units, layout, padded, weights):
        with np.errstate(all="ignore"):
            self.x = wide if mean is None else ((wide - mean) / divisor).astype(F32)
            self.finite = np.isfinite(self.x).all(1)
            self.largest = np.fmax.reduce(np.abs(self.x), axis=1)
            self.exponent = np.array([self.exponent_of(units, r) for r in range(len(wide))])
            scaled = self.x.astype(F64) * 2.0 ** -self.exponent.astype(F64)[:, None]
        scaled[~self.finite] = 0
        scaled = np.pad(scaled, ((0, 0), (0, padded - wide.shape[1])))
        self.whole, self.low = norm(scaled), np.zeros(len(wide))
        self.screen(scaled, layout, weights)

    def exponent_of(self, units, row):
        if not self.finite[row]:
            return 0
        if units["fixed"]:
            return units["fixed_exponent"]
        # m · 2^e with m in [1/2, 1), as C's frexp: the largest number lies in [2^14, 2^15).
        own = np.frexp(F64(self.largest[row]))[1] - 15 if self.largest[row] else 0
        return max(own, units["least_exponent"]) if units["biased"] else own

    def screen(self, scaled, layout, weights):
        if layout == SINGLE:
            single = scaled.astype(F32)
            self.operand = single
            self.error, self.norm = norm(scaled - single.astype(F64)), norm(single)
            return
        high = scaled.astype(F32).astype(np.float16)
        rest = scaled - high.astype(F64)
        if layout == HALF:
            self.operand = high.view(np.uint16)
            self.error, self.norm = norm(rest), norm(high)
            return
        low = rest.astype(F32).astype(np.float16)
        parts = (high, low, high) if weights else (high, high, low)
        self.operand = np.concatenate([p.view(np.uint16) for p in parts], 1)
        self.error, self.low = norm(rest - low.astype(F64)), norm(low)
        self.norm = norm(np.concatenate([high, high, low, low], 1))


def above(what, found, least, bottom=0.0):
    """Demands a bound from above that is no looser than rounding asks for."""
    found, least = found.astype(F64), least.astype(F64)
    bad = ~((found >= least) & (found <= (least + bottom) * (1 + 1e-6) + 2.0**-119))
    if not bad.any():
        return []
    row = int(np.nonzero(bad)[0][0])
    return [f"facts[{row}].{what} is {found[row]!r}, expected {least[row]!r} or little more"]


def check_facts(facts, twin, units, dim):
    wrong = same("facts.finite", facts["finite"], twin.finite)
    wrong += same("facts.exponent", facts["exponent"], twin.exponent)
    keep = np.nonzero(twin.finite)[0]
    facts, unit = facts[keep], twin.exponent[keep] + units["weight_exponent"]
    wrong += same("facts.largest", facts["largest"], twin.largest[keep])
    own = {n: getattr(twin, n)[keep] for n in ("error", "norm", "low", "whole")}
    own["error"] = own["error"] + own["low"] * units["low_weight"]
    for name, least in own.items():
        wrong += above(name, facts[name], least)
    scale = np.zeros(len(keep))
    bias = np.zeros(len(keep))
    if units["biased"]:
        bias = F64(F32(units["largest_bias"])) * 2.0 ** -unit.astype(F64)
        scale = 2.0 ** (units["bias_exponent"] - unit.astype(F64))
    wrong += same("facts.bias_scale", facts["bias_scale"], scale.astype(F32))
    inflate = 1 + 2.0**-17
    offset = (2.0**-22 * bias + dim * 2.0**-126) * inflate
    wrong += above("offset", facts["offset"], offset)
    whole, spread = F64(F32(units["largest_whole"])), F64(F32(units["largest_spread"]))
    coarse = (own["error"] * whole + own["norm"] * spread + offset) * inflate
    return wrong + above("coarse", facts["coarse"], coarse, 2.0**-119 * (whole + spread))


def case(seed, count, dim, element, layout, kinds=KINDS, units=None, mean=True, keep_x=True, weights=False,
         padded=None, odd=True):
    rng, units = np.random.default_rng(seed), UNITS | (units or {})
    numbers = np.array([vector(rng, kinds[n % len(kinds)], dim) for n in range(count)], F32)
    if odd and count > 3:
        numbers[1, dim // 2], numbers[3, -1] = np.nan, -np.inf
    own, wide = stored(element, numbers)
    means = rng.uniform(-1, 1, dim).astype(F32) if mean else None
    divisors = rng.uniform(0.1, 2, dim).astype(F32) if mean else None
    padded = padded or -(-dim // 8) * 8
    twin = Twin(wide, means, divisors, units, layout, padded, weights)
    parts, kind = (3 if layout == SPLIT else 1), (F32 if layout == SINGLE else np.uint16)
    arrays = {"rows": own} | ({"mean": means, "divisor": divisors} if mean else {})
    outputs = {"operand": Output(kind, count * parts * padded), "facts": Output(FACTS_KIND, count)}
    if keep_x:
        outputs["x"] = Output(F32, count * dim)

    def argument(at):
        names = ("rows", "mean", "divisor", "x", "operand", "facts")
        return (struct.pack("<6Q", *map(at, names)) + struct.pack("<3i4fi2I", *units.values())
                + struct.pack("<6I", count, dim, padded, layout, weights, 0))

    def check(found):
        wrong = same("operand", found("operand").reshape(count, -1), twin.operand)
        wrong += untouched("operand", found.written("operand"), np.ones(count * parts * padded, bool))
        if keep_x:
            wrong += same("x", found("x").reshape(count, dim), twin.x)
        return wrong + check_facts(found("facts"), twin, units, dim)

    name = f"{count} rows of {dim}, {('half', 'split', 'single')[layout]}"
    more = [w for w, said in (("as they are", not mean), ("x kept", keep_x), ("weights", weights)) if said]
    return Case(", ".join([name, *more]), "whiten", f"whiten_{element}", count, 256, 0, arrays, outputs,
                argument, check, ["operand", "facts"])


def cases():
    biased = {"weight_exponent": -17, "bias_exponent": 3, "least_exponent": -40, "largest_bias": 7.5,
              "largest_whole": 33000.0, "largest_spread": 17.5, "low_weight": 4.7e-4, "biased": 1}
    fixed = {"fixed": 1, "fixed_exponent": -14}
    found = []
    for e, element in enumerate(ELEMENTS):
        kinds = KINDS if element in ("single", "double") else ("smooth", "positive", "ones", "sparse")
        for layout in (HALF, SPLIT, SINGLE):
            dim = (65, 257, 1)[layout] + 2 * e
            found.append(case(10 * e + layout, 5, dim, element, layout, kinds, biased, keep_x=e % 2 == 0))
        found.append(case(50 + e, 3, 300 + e, element, e % 3, kinds, fixed, mean=False, weights=True,
                          keep_x=False, odd=False))
    found += [
        case(60, 9, 33, "single", SPLIT, units={"least_exponent": 99}, padded=48),
        case(61, 4, 520, "single", HALF, ("half_places", "wild", "denormal"), biased | {"least_exponent": 8}),
        case(62, 1, 1, "double", SINGLE, odd=False),
        case(63, 2, 700, "single", SPLIT, ("sparse", "denormal"), biased, odd=False),
    ]
    return found
