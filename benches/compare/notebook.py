#!/usr/bin/env python3
"""The notebook's computation, in its steps and at its cost: every row at once, a dense indicator, a
loop over atoms with a test for each, a loop over atoms for types, a mask for each pair of atoms.

One thing is changed: on a GPU the notebook ends with an error, since its mean and standard deviation
stay on the processor. Here they are moved.
"""

import json
import warnings

import numpy as np
import pandas as pd
import torch
from scipy.stats import chi2_contingency, fisher_exact, mannwhitneyu  # noqa: F401  as the notebook
from statsmodels.stats.multitest import multipletests

import printing
import program
from passes import notebook_label_counts, notebook_sets, notebook_type_counts

warnings.filterwarnings("ignore")


class Autoencoder(torch.nn.Module):
    """The notebook makes the decoder too, and fills both with random numbers first."""

    def __init__(self, input_dim, feature_dim):
        super().__init__()
        self.encoder = torch.nn.Linear(input_dim, feature_dim, bias=True)
        self.decoder = torch.nn.Linear(feature_dim, input_dim, bias=False)


def read(options, device):
    """Embeddings on the device, calls, the model with its k, mean and divisor."""
    package = torch.load(options.embeddings, map_location="cpu")
    embeddings = package["embeddings"].float().to(device)
    saved = torch.load(options.model, map_location="cpu")
    config = saved["config"]
    sae = Autoencoder(int(config["input_dim"]), int(config["feature_dim"])).to(device)
    sae.load_state_dict(saved["model_state_dict"], strict=False)
    sae.eval()
    mean, divisor = program.whitening(torch, config)
    k = min(int(config["k"]), int(config["feature_dim"]))
    return embeddings, package["sv_info"], sae, k, mean.to(device), divisor.to(device)


def labels_of(calls, device):
    return torch.tensor([call.get("truvari_class") in ["TP", "tp_comp_vcf"] for call in calls],
                        dtype=torch.bool).to(device)


def bias_statistics(indicator, labels):
    """The table of atoms, and the counts [2, F] of all of them for the comparison."""
    tp_total, fp_total = int(labels.sum()), int((~labels).sum())
    counts = np.zeros((2, indicator.shape[1]), dtype=np.int64)
    records = []
    for atom in range(indicator.shape[1]):
        tp_on, fp_on = notebook_label_counts(indicator, labels, atom)
        counts[:, atom] = tp_on, fp_on
        if tp_on + fp_on < 5:
            continue
        tp_off, fp_off = tp_total - tp_on, fp_total - fp_on
        try:
            _, p, _, _ = chi2_contingency([[tp_on, fp_on], [tp_off, fp_off]], correction=False)
        except ValueError:
            continue
        records.append({"atom": atom, "TP_on": tp_on, "FP_on": fp_on, "TP_off": tp_off,
                        "FP_off": fp_off, "odds": (tp_on * fp_off) / max(1, fp_on * tp_off),
                        "support": tp_on + fp_on, "p": p})
    table = pd.DataFrame(records)
    _, corrected, _, _ = multipletests(table["p"], method="fdr_bh")
    table["fdr_corrected"] = corrected
    table["significant"] = corrected < 0.05
    return table, counts


def of(table):
    """The rows of a table, one Series each, as the notebook goes through them."""
    return (row for _, row in table.iterrows())


def show_bias(table):
    odds = table["odds"]
    printing.landscape(len(table), ((odds > 1).sum(), (odds < 1).sum()),
                       ((odds > 2).sum(), (odds < 0.5).sum()), table["significant"].sum(),
                       table["support"].describe())
    printing.bias_table("Top TP-biased Features", of(table[odds > 1].nlargest(10, "odds")))
    printing.bias_table("Top FP-biased Features", of(table[odds < 1].nsmallest(10, "odds")))


def type_bias(table, calls, acts, least=10):
    """Atom by atom: insertions against all else. None where either type is missing."""
    sv_types = [call.get("svtype", "UNK") for call in calls]
    printing.types(sv_types)
    inserted = [i for i, name in enumerate(sv_types) if name == "INS"]
    deleted = [i for i, name in enumerate(sv_types) if name == "DEL"]
    if not inserted or not deleted:
        return None
    chosen = torch.zeros(len(sv_types), dtype=torch.bool, device=acts.device)
    chosen[inserted] = True
    printing.type_head(least)
    results = []
    for atom in table["atom"].values:
        ins, rest = notebook_type_counts(acts, chosen, atom)
        if ins + rest < least:
            continue
        rate = ins / (ins + rest)
        results.append({"atom": atom, "ins_count": ins, "del_count": rest, "total": ins + rest,
                        "ins_rate": rate, "bias_score": rate - 0.5})
    found = pd.DataFrame(results)
    if found.empty:
        return None
    score = found["bias_score"]
    printing.type_table(of(found.nlargest(5, "bias_score")), of(found.nsmallest(5, "bias_score")),
                        (score > 0.3).sum(), (score < -0.3).sum())
    return found


def investigate(table, calls, acts, labels):
    printing.rule(" Investigating Top Features", 50)
    for chosen in (table.nlargest(3, "odds"), table.nsmallest(3, "odds")):
        for atom in chosen["atom"].tolist():
            stats = table[table["atom"] == atom].iloc[0]
            fires = (acts == atom).any(dim=1)
            firing = torch.where(fires)[0].cpu().numpy()
            printing.investigation(stats, firing, calls, labels)
            print()


def coactivation(table, acts, least=5):
    atoms = (table.nlargest(10, "odds")["atom"].tolist()
             + table.nsmallest(10, "odds")["atom"].tolist())
    pairs = {}
    for i, one in enumerate(atoms):
        for other in atoms[i + 1:]:
            both = (acts == one).any(dim=1) & (acts == other).any(dim=1)
            count = both.sum().item()
            if count >= least:
                pairs[(one, other)] = count
    printing.coactivation(pairs, least)


def save(table, out):
    table.to_csv(out / "sae_feature_bias_analysis.csv", index=False)
    columns = ["atom", "odds", "support", "TP_on", "FP_on"]
    top = {"top_tp_biased": table.nlargest(10, "odds")[columns].to_dict("records"),
           "top_fp_biased": table.nsmallest(10, "odds")[columns].to_dict("records")}
    with open(out / "top_biased_features.json", "w") as file:
        json.dump(top, file, indent=2)


def summarize(table, by_type):
    odds, support = table["odds"], table["support"]
    specialized = None
    if by_type is not None:
        specialized = (by_type["bias_score"] > 0.3).sum(), (by_type["bias_score"] < -0.3).sum()
    printing.summary(len(table), ((odds > 2).sum(), (odds < 0.5).sum()), table["significant"].sum(),
                     (odds.max(), odds.min()), (support > support.quantile(0.75)).sum(), specialized)


def main():
    options = program.parser(__doc__.split("\n")[0]).parse_args()
    device = program.device_named(torch, options.device)
    watch = program.watch_for(torch, device, options.started)
    watch.lap("start_and_imports")
    embeddings, calls, sae, k, mean, divisor = read(options, device)
    watch.lap("read")
    x = (embeddings - mean) / divisor
    with torch.no_grad():
        acts, indicator, scores = notebook_sets(x, sae.encoder, k)
    watch.lap("encode")
    labels = labels_of(calls, device)
    table, counts = bias_statistics(indicator, labels)
    del scores  # here the notebook's name for it is taken by something else
    watch.lap("bias")
    show_bias(table)
    by_type = type_bias(table, calls, acts)
    watch.lap("types")
    investigate(table, calls, acts, labels)
    coactivation(table, acts)
    save(table, options.out)
    summarize(table, by_type)
    watch.lap("rest")
    if options.check:
        program.write_check(np, options.out, acts.cpu().numpy(), counts)
    program.write_report(torch, options.out, device, seconds=watch.seconds, rows=len(calls),
                         counts=program.counts_digest(counts))


if __name__ == "__main__":
    main()
