#!/usr/bin/env python3
"""Whether programs that ran on one cohort agree with atomscope: atom by atom and row by row.

Rows whose sets differ are counted; all else must be equal: with them left out, the counts of every
atom. A program that is named with --strict computes in binary32, so each row that differs must also
be one where rounding in binary32 can make the difference.
"""

import csv
import pathlib

import numpy as np
import torch

import program
from exact import definition_of, named

# scipy's chi-squared tail, its arguments rounded in another order.
P_TOLERANCE = 1e-12


def counts_of(sets, labels, features):
    """Counts int64 [2, F], true calls first."""
    rows = (sets[labels].ravel(), sets[~labels].ravel())
    return np.stack([np.bincount(row, minlength=features) for row in rows]).astype(np.int64)


def read_table(path):
    with open(path, newline="") as file:
        return {int(row["atom"]): row for row in csv.DictReader(file)}


def check_table(table, counts, totals):
    """What is wrong with atomscope's table, given the counts of its own firing sets."""
    support = counts.sum(axis=0)
    listed = set(np.flatnonzero((support >= 5) & (support < totals.sum()) & (min(totals) > 0)))
    if listed != set(table):
        odd = sorted(listed ^ set(table))
        return f"{len(odd)} atoms are in one of table and firing sets only, first {odd[0]}"
    for atom, row in table.items():
        found = [int(row[name]) for name in ("TP_on", "FP_on", "TP_off", "FP_off")]
        expected = [*counts[:, atom].tolist(), *(totals - counts[:, atom]).tolist()]
        if found != expected:
            return f"atom {atom}: the table has {found}, the firing sets give {expected}"
    return None


def p_difference(ours, theirs):
    """The largest difference of p where the counts of an atom agree."""
    names = ("TP_on", "FP_on", "TP_off", "FP_off")
    same = [atom for atom in ours.keys() & theirs.keys()
            if all(ours[atom][name] == theirs[atom][name] for name in names)]
    return max((abs(float(ours[atom]["p"]) - float(theirs[atom]["p"])) for atom in same), default=0)


class Cohort:
    """What atomscope found, and the labels by the notebook's rule."""

    def __init__(self, options, device):
        package = torch.load(options.embeddings, map_location="cpu", mmap=True)
        classes = [call.get("truvari_class") for call in package["sv_info"]]
        self.embeddings = package["embeddings"]
        self.labels = np.array([name in ("TP", "tp_comp_vcf") for name in classes])
        self.definition = definition_of(options.model, device)
        self.sets = np.load(options.atomscope / "fires.npy").astype(np.int64)
        self.table = read_table(options.atomscope / "sae_feature_bias_analysis.csv")
        self.counts = counts_of(self.sets, self.labels, self.definition.features)

    def totals(self):
        return np.array([self.labels.sum(), (~self.labels).sum()])

    def compare(self, folder, strict):
        """Figures on one program's results, and what is wrong with them, if anything."""
        theirs = np.load(folder / "fires.npy").astype(np.int64)
        if theirs.shape != self.sets.shape:
            return {}, f"its firing sets are {theirs.shape}, atomscope's {self.sets.shape}"
        rows = np.flatnonzero((theirs != self.sets).any(axis=1))
        features, labels = self.definition.features, self.labels[rows]
        counts = np.load(folder / "counts.npy")
        agree = (counts - counts_of(theirs[rows], labels, features)
                 == self.counts - counts_of(self.sets[rows], labels, features)).all(axis=0)
        atoms = np.flatnonzero((counts != self.counts).any(axis=0))
        figures = {"rows_differ": len(rows), "atoms_with_other_counts": len(atoms)}
        figures["largest_p_difference"] = p_difference(
            self.table, read_table(folder / "sae_feature_bias_analysis.csv"))
        if not agree.all():
            atom = int(np.flatnonzero(~agree)[0])
            return figures, (f"{(~agree).sum()} atoms have other counts even without the rows that "
                             f"differ, first atom {atom}")
        if figures["largest_p_difference"] > P_TOLERANCE:
            return figures, f"p differs by {figures['largest_p_difference']:.1e} at equal counts"
        return figures, self.ties(rows, theirs, figures) if strict else None

    def ties(self, rows, theirs, figures):
        """Adds the largest gap to the figures; what is wrong if a gap exceeds its bound."""
        worst = (0.0, 0.0, None)
        for first in range(0, len(rows), 512):
            part = rows[first:first + 512]
            x = self.embeddings[torch.as_tensor(part)].to(self.definition.weight.device).float()
            gaps = self.definition.near_tie(x, self.sets[part], theirs[part])
            for row, (gap, bound) in zip(part, gaps):
                worst = max(worst, (gap / bound, gap, int(row)))
        figures["largest_gap"], figures["largest_gap_of_its_bound"] = worst[1], worst[0]
        if worst[0] > 1:
            return f"row {worst[2]} differs by {worst[1]:.2e}, more than rounding explains"
        return None


def main():
    parser = program.parser(__doc__.split("\n")[0])
    parser.add_argument("--atomscope", required=True, type=pathlib.Path)
    for kind in ("--strict", "--loose"):
        parser.add_argument(kind, action="append", type=named, default=[], metavar="NAME=FOLDER")
    options = parser.parse_args()
    device = program.device_named(torch, options.device)
    cohort = Cohort(options, device)
    wrong = check_table(cohort.table, cohort.counts, cohort.totals())
    failures, figures = [f"atomscope: {wrong}"] if wrong else [], {}
    for programs, strict in ((options.strict, True), (options.loose, False)):
        for name, folder in programs:
            with torch.no_grad():
                figures[name], wrong = cohort.compare(pathlib.Path(folder), strict)
            failures += [f"{name}: {wrong}"] if wrong else []
    program.write_report(torch, options.out, device, rows=len(cohort.sets), programs=figures,
                         failures=failures)


if __name__ == "__main__":
    main()
