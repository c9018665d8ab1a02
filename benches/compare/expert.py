#!/usr/bin/env python3
"""The same analysis as an expert writes it: mapped files, rows in chunks, one linear, topk and
bincount for each, statistics for all atoms at once.

Alone it does the whole job and writes what the notebook writes. With --rates it times the passes over
rows instead, and with --calibrate it finds the chunk that is fastest.
"""

import json

import numpy as np
import torch

import printing
import program
import tables
from passes import expert_counts

class Model:
    """The encoder on the device, in the product's precision."""

    def __init__(self, path, device, precision):
        saved = torch.load(path, map_location="cpu", mmap=True)
        config, weights = saved["config"], saved["model_state_dict"]
        self.weight = weights["encoder.weight"].to(device, precision)
        self.bias = weights["encoder.bias"].to(device, precision)
        mean, divisor = program.whitening(torch, config)
        self.mean, self.divisor = mean.to(device), divisor.to(device)
        self.k = min(int(config["k"]), len(self.weight))


def read_rows(path):
    """Embeddings and calls; the embeddings are mapped, and read when they are used."""
    package = torch.load(path, map_location="cpu", mmap=True)
    return package["embeddings"], package["sv_info"]


def strata_of(calls, device):
    """2 for a true call, and 1 for an insertion."""
    strata = [2 * (call.get("truvari_class") in ("TP", "tp_comp_vcf"))
              + (call.get("svtype", "UNK") == "INS") for call in calls]
    return torch.tensor(strata, dtype=torch.int64, device=device)


def count(embeddings, strata, model, chunk, keep=None):
    """Counts [4, F] by stratum."""
    device = model.weight.device
    counts = torch.zeros(4, len(model.weight), dtype=torch.int64, device=device)
    with torch.no_grad():
        expert_counts(embeddings, strata, counts, model, chunk,
                      lambda rows: rows.to(device).float(), keep)
    return counts


def report(table, by_type, calls, acts, labels, features):
    """Prints what the notebook prints, from the tables; returns the first and last atoms by odds."""
    odds, significant = table["odds"], int(table["significant"].sum())
    top, low = tables.largest(odds, 10), tables.largest(-odds, 10)
    strong = int((odds > 2).sum()), int((odds < 0.5).sum())
    printing.landscape(len(odds), (int((odds > 1).sum()), int((odds < 1).sum())), strong,
                       significant, tables.support_summary(table["support"]))
    printing.bias_table("Top TP-biased Features", tables.rows(table, top[odds[top] > 1]))
    printing.bias_table("Top FP-biased Features", tables.rows(table, low[odds[low] < 1]))
    specialized = report_types(by_type, calls)
    printing.rule(" Investigating Top Features", 50)
    for place in (*top[:3], *low[:3]):
        stats = tables.row(table, place)
        firing = np.flatnonzero((acts == stats["atom"]).any(axis=1))
        printing.investigation(stats, firing, calls, labels)
        print()
    atoms = table["atom"][np.concatenate([top, low])]
    printing.coactivation(tables.pairs(acts, atoms, features), 5)
    high = int((table["support"] > np.quantile(table["support"], 0.75)).sum())
    printing.summary(len(odds), strong, significant, (odds.max(), odds.min()), high, specialized)
    return top, low


def report_types(by_type, calls):
    sv_types = [call.get("svtype", "UNK") for call in calls]
    printing.types(sv_types)
    if "INS" not in sv_types or "DEL" not in sv_types:
        return None
    printing.type_head(10)
    score = by_type["bias_score"]
    if len(score) == 0:
        return None
    strong = int((score > 0.3).sum()), int((score < -0.3).sum())
    printing.type_table(tables.rows(by_type, tables.largest(score, 5), by_type),
                        tables.rows(by_type, tables.largest(-score, 5), by_type), *strong)
    return strong


def whole(options, device, watch):
    """The whole job, from files to files."""
    model = Model(options.model, device, options.precision)
    embeddings, calls = read_rows(options.embeddings)
    watch.lap("read")
    strata = strata_of(calls, device)
    acts = torch.empty(len(calls), model.k, dtype=torch.int32, device=device)
    by_stratum = count(embeddings, strata, model, options.chunk, acts).cpu().numpy()
    acts, labels = acts.cpu().numpy(), (strata >= 2).cpu().numpy()
    watch.lap("encode")
    counts = np.stack([by_stratum[2] + by_stratum[3], by_stratum[0] + by_stratum[1]])
    table = tables.bias(counts, np.array([labels.sum(), (~labels).sum()]))
    by_type = tables.types(table, by_stratum[1] + by_stratum[3])
    top, low = report(table, by_type, calls, acts, labels, len(model.weight))
    tables.save(table, top, low, options.out)
    watch.lap("rest")
    if options.check:
        program.write_check(np, options.out, acts, counts)
    return {"rows": len(calls), "counts": program.counts_digest(counts)}


def rates(options, device, watch):
    """The passes over rows alone, after a first chunk of each kind that is not timed: with rows in
    the memory of the device, then with rows read from the file, which is mapped anew."""
    model = Model(options.model, device, options.precision)
    embeddings, calls = read_rows(options.embeddings)
    strata = strata_of(calls, device)
    resident = embeddings.to(device, torch.float32, copy=True)
    warm = min(options.chunk, len(calls))
    count(resident[:warm], strata[:warm], model, options.chunk)
    watch.lap("prepare")
    count(resident, strata, model, options.chunk)
    watch.lap("encode_in_memory")
    del resident
    embeddings, _ = read_rows(options.embeddings)
    count(embeddings[:warm].clone(), strata[:warm], model, options.chunk)
    embeddings, _ = read_rows(options.embeddings)
    watch.lap("prepare_again")
    count(embeddings, strata, model, options.chunk)
    watch.lap("encode_from_file")
    return {"rows": len(calls)}


def calibrate(options, device, watch):
    """Seconds a row for each chunk, in memory: the better of two passes after one to warm up."""
    model = Model(options.model, device, options.precision)
    embeddings, calls = read_rows(options.embeddings)
    most = 2 * max(options.calibrate)
    rows = embeddings[:most].to(device, torch.float32, copy=True)
    strata = strata_of(calls, device)[:most]
    chunks = sorted({min(chunk, len(rows)) for chunk in options.calibrate})
    seconds = {}
    for chunk in chunks:
        count(rows[:chunk], strata[:chunk], model, chunk)
        watch.lap("warm")
        passes = []
        for _ in range(2):
            count(rows, strata, model, chunk)
            passes.append(watch.lap("pass"))
        seconds[chunk] = min(passes) / len(rows)
    return {"rows": len(rows), "chunk": min(seconds, key=seconds.get),
            "seconds_a_row": {str(chunk): each for chunk, each in seconds.items()}}


def main():
    parser = program.parser(__doc__.split("\n")[0])
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--chunk", type=int, default=1024, help="rows that are taken at once")
    parser.add_argument("--rates", action="store_true", help="time the passes over rows alone")
    parser.add_argument("--calibrate", type=json.loads, metavar="[CHUNK, ...]")
    options = parser.parse_args()
    options.precision = getattr(torch, options.precision)
    device = program.device_named(torch, options.device)
    watch = program.watch_for(torch, device, options.started)
    watch.lap("start_and_imports")
    work = calibrate if options.calibrate else rates if options.rates else whole
    found = work(options, device, watch)
    program.write_report(torch, options.out, device, seconds=watch.seconds, **found)


if __name__ == "__main__":
    main()
