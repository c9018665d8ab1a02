#!/usr/bin/env python3
"""Time and memory of `atomscope annotate` beside `bcftools annotate`, which adds as many INFO keys.

    python3 benches/annotate/run.py --work FOLDER [--program target/release/atomscope] [--records 200000] [--rounds 5]

It simulates a cohort, analyzes it, and writes a VCF of its calls with about 560 bytes a record: callers'
keys, a consensus sequence, and a sample. Both programs then alternate, from the page cache, each with an
index of what it writes. Needs bcftools, bgzip and tabix. Seconds are of the clock, and of all cores (user
and system): of a machine that does other work too, only the latter tell anything.
"""

import argparse
import multiprocessing
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

KEYS = ["AS_LABEL", "AS_REASON", "AS_ATOMS", "AS_LOR"]
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
{contigs}##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">
##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Length">
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
##INFO=<ID=PE,Number=1,Type=Integer,Description="Pairs">
##INFO=<ID=MAPQ,Number=1,Type=Integer,Description="Mapping quality">
##INFO=<ID=CIPOS,Number=2,Type=Integer,Description="Interval of POS">
##INFO=<ID=CIEND,Number=2,Type=Integer,Description="Interval of END">
##INFO=<ID=CONSENSUS,Number=1,Type=String,Description="Consensus">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="Likelihoods">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
##FORMAT=<ID=RC,Number=1,Type=Integer,Description="Reads">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsample
"""


def natural(contig):
    """Orders contigs as people count them."""
    number = contig.removeprefix("chr")
    return (0, int(number), "") if number.isdigit() else (1, 0, number)


def record(call, draw):
    """Returns a record of a call, as a caller would write it."""
    length = abs(int(float(call["svlen"])))
    pos, kind = int(call["pos"]), call["svtype"]
    wide = draw.randrange(1, 300)
    consensus = "".join(draw.choices("ACGT", k=draw.randrange(300, 460)))
    info = (
        f"SVTYPE={kind};SVLEN={length};END={pos + length};PE={draw.randrange(60)};MAPQ={draw.randrange(61)};"
        f"CIPOS=-{wide},{wide};CIEND=-{wide},{wide};CONSENSUS={consensus}"
    )
    likelihoods = ",".join(f"{-draw.random() * 100:.4f}" for _ in range(3))
    sample = f"0/1:{likelihoods}:{draw.randrange(1000)}:{draw.randrange(10000)}"
    quality = draw.randrange(1, 1000)
    columns = [call["chrom"], pos, call["id"], "N", f"<{kind}>", quality, "PASS", info, "GT:GL:GQ:RC", sample]
    return "\t".join(map(str, columns)) + "\n"


def prepare(program, work, records):
    """Writes results, the VCF, and the table that bcftools takes its keys from."""
    cohort = ["--rows", str(records), "--input-dim", "32", "--features", "256", "--k", "16", "--seed", "1"]
    subprocess.run([program, "simulate", "--out", "sim", *cohort], cwd=work, check=True)
    analyze = ["--embeddings", "sim/embeddings.pt", "--model", "sim", "--save-fires", "--quiet"]
    tables = ["--permutations", "0", "--bootstrap", "0", "--out", "results"]
    subprocess.run([program, "analyze", *analyze, *tables], cwd=work, check=True, stdout=subprocess.DEVNULL)
    lines = (work / "results/call_atoms.tsv").read_text().splitlines()
    columns = lines[0].split("\t")
    calls = [dict(zip(columns, line.split("\t"))) for line in lines[1:]]
    calls.sort(key=lambda call: (natural(call["chrom"]), int(call["pos"])))
    contigs = dict.fromkeys(call["chrom"] for call in calls)
    header = HEADER.format(contigs="".join(f"##contig=<ID={contig}>\n" for contig in contigs))
    draw = random.Random(1)
    with open(work / "in.vcf", "w") as out:
        out.write(header)
        out.writelines(record(call, draw) for call in calls)
    with open(work / "keys.tsv", "w") as out:
        for call in calls:
            values = [call["label"], call["reason"], call["atoms"], call["log_or"]]
            values = ["." if value in ("NA", "") else value for value in values]
            out.write("\t".join([call["chrom"], call["pos"], call["id"], *values]) + "\n")
    kinds = [("1", "String"), ("1", "String"), (".", "Integer"), (".", "Float")]
    with open(work / "keys.hdr", "w") as out:
        for key, (number, kind) in zip(KEYS, kinds):
            out.write(f'##INFO=<ID={key},Number={number},Type={kind},Description="{key}">\n')
    for command in (["bgzip", "-f", "in.vcf"], ["bgzip", "-f", "keys.tsv"], ["tabix", "-s1", "-b2", "-e2", "keys.tsv.gz"]):
        subprocess.run(command, cwd=work, check=True)


def run(command, work):
    """Runs a command; returns seconds of the clock, seconds of all cores, and MiB at the most."""
    for name in work.glob("out.vcf.gz*"):
        name.unlink()
    began = time.monotonic()
    with subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    """Prepares, alternates, and prints medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("target/release/atomscope"))
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    program, work = str(given.program.resolve()), given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "keys.tsv.gz.tbi").exists():
        # A process of its own, since what this one takes would count as the programs'.
        child = multiprocessing.Process(target=prepare, args=(program, work, given.records))
        child.start()
        child.join()
        if child.exitcode:
            sys.exit("no cohort to annotate")
    keys = ",".join(["CHROM", "POS", "~ID", *(f"INFO/{key}" for key in KEYS)])
    commands = {
        "atomscope": [program, "annotate", "--results", "results", "--vcf", "in.vcf.gz", "--out", "out.vcf.gz"],
        "bcftools": [
            *("bcftools annotate -a keys.tsv.gz -h keys.hdr -c".split()), keys,
            *("-Oz -o out.vcf.gz in.vcf.gz".split()),
        ],
    }
    commands["bcftools --threads 2"] = [*commands["bcftools"][:2], "--threads", "2", *commands["bcftools"][2:]]
    rounds = {name: [] for name in commands}
    sizes = {}
    for _ in range(given.rounds):
        for name, command in commands.items():
            rounds[name].append(run(command, work))
            sizes[name] = (work / "out.vcf.gz").stat().st_size
    for name, measured in rounds.items():
        clock, cores, memory = (statistics.median(column) for column in zip(*measured))
        print(f"{name}: {clock:.2f} s, {cores:.2f} s of cores, {memory:.0f} MiB, {sizes[name]:,} bytes")


if __name__ == "__main__":
    main()
