#!/usr/bin/env python3
"""What the Python package costs, in one process and on the same arrays: beside the notebook's cells,
beside torch's product and top-k, over the library's own time, beside the program, and to hand tables to
pandas.

    pip install ./python torch pandas scipy statsmodels
    python benches/python/run.py --delly-mims FOLDER

Runs alternate, and medians are shown: seconds on the clock, and CPU seconds (user and system, of all
threads), which other work on the machine disturbs less. Each answer is checked before its time counts.
"""

import argparse
import contextlib
import io
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "compare"))
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import atomscope as ats  # noqa: E402

#: Instructions for which this package's screen, or torch's product, has code of its own.
FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def timed(work):
    began, spent = time.perf_counter(), time.process_time()
    found = work()
    return (time.perf_counter() - began, time.process_time() - spent), found


def alternate(rounds, *works):
    """The medians, (clock, CPU), of several pieces of work, one after another in each round, and what they
    found last."""
    seconds = [[] for _ in works]
    found = [None] * len(works)
    for _ in range(rounds):
        for number, work in enumerate(works):
            taken, found[number] = timed(work)
            seconds[number].append(taken)
    return [tuple(statistics.median(each) for each in zip(*of, strict=True)) for of in seconds], found


def shown(seconds):
    clock, cpu = seconds
    return f"{clock:.3f} s ({cpu:.3f} CPU s)"


def times(one, other):
    return f"{one[0] / other[0]:.2f} times ({one[1] / other[1]:.2f} by CPU)"


def instructions():
    """Which of the instructions that matter this CPU has."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                has = set(line.split(":", 1)[1].split())
                return ", ".join(f"{'' if name in has else 'no '}{name}" for name in FEATURES)
    return "unknown"


def notebooks_cells(folder, rounds):
    import notebook

    embeddings_file = folder / "data/processed/sae_sv_embeddings.pt"
    model_file = next(folder.rglob("sae.pt"))
    package, saved = torch.load(embeddings_file), torch.load(model_file)
    config, state = saved["config"], saved["model_state_dict"]
    mean = torch.as_tensor(config.get("μ", config.get("mu"))).view(1, -1).float()
    divisor = torch.as_tensor(config.get("σ", config.get("std"))).view(1, -1).float() + 1e-6
    embeddings, calls = package["embeddings"].float(), package["sv_info"]
    module = notebook.Autoencoder(int(config["input_dim"]), int(config["feature_dim"]))
    module.load_state_dict(state, strict=False)

    def cells():
        with contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            acts, indicator, _ = notebook.notebook_sets((embeddings - mean) / divisor, module.encoder, int(config["k"]))
            labels = notebook.labels_of(calls, "cpu")
            table, _ = notebook.bias_statistics(indicator, labels)
            notebook.show_bias(table)
            by_type = notebook.type_bias(table, calls, acts)
            notebook.investigate(table, calls, acts, labels)
            notebook.coactivation(table, acts)
            notebook.summarize(table, by_type)
            return table

    sae = ats.SAE.from_state_dict(saved)

    def ours():
        found = ats.analyze(embeddings, sae, calls, tables="notebook")
        return found.report, found.notebook.to_pandas()

    (theirs, mine), (expected, (_, table)) = alternate(rounds, cells, ours)
    assert list(expected["TP_on"]) == list(table["TP_on"])
    print(f"notebook's cells on {len(calls)} calls: {shown(theirs)}; analyze(tables='notebook'): {shown(mine)}; {times(theirs, mine)}")
    overhead("delly-mims", rounds, embeddings, sae, calls)
    beside_the_program("delly-mims", rounds, embeddings_file, model_file, None)


def against_torch(rounds, rows, dim, atoms, k):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, dim)).astype(np.float32)
    weight = (rng.normal(size=(atoms, dim)) / np.sqrt(dim)).astype(np.float32)
    bias = np.zeros(atoms, dtype=np.float32)
    state = {"encoder.weight": weight, "encoder.bias": bias}
    sae = ats.SAE.from_state_dict(state, k=k, mean=0.0, std=1.0)
    calls = {"truvari_class": ["TP", "FP"] * (rows // 2)}
    tensor, linear = torch.from_numpy(x), torch.from_numpy(weight).T.contiguous()
    labels = torch.tensor([1, 0] * (rows // 2))

    def theirs():
        counts = torch.zeros(2, atoms, dtype=torch.int64)
        for start in range(0, rows, 4096):
            scores = tensor[start : start + 4096] @ linear
            fires = torch.topk(scores, k, dim=1).indices
            for label in (0, 1):
                of = fires[labels[start : start + 4096] == label].flatten()
                counts[label] += torch.bincount(of, minlength=atoms)
        return counts

    (of_torch, of_encode), (_, found) = alternate(rounds, theirs, lambda: sae.encode(x))
    assert found.top_indices.shape == (rows, k)
    name = f"{rows} x {dim} -> {atoms}, k = {k}"
    print(f"{name}: torch {rows / of_torch[0]:.0f} rows/s, encode {rows / of_encode[0]:.0f} rows/s, {times(of_torch, of_encode)}")
    overhead(name, rounds, x, sae, calls)
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        np.save(place / "x.npy", x)
        torch.save({"model_state_dict": {name: torch.from_numpy(part) for name, part in state.items()}, "config": {"input_dim": dim, "feature_dim": atoms, "k": k, "mu": torch.zeros(dim), "std": torch.ones(dim)}}, place / "sae.pt")
        (place / "calls.csv").write_text("truvari_class\n" + "TP\nFP\n" * (rows // 2))
        beside_the_program(name, rounds, place / "x.npy", place / "sae.pt", place / "calls.csv")


def overhead(name, rounds, x, sae, calls):
    """CPU seconds of a call over those that the library counts of itself: encoding and statistics."""
    for what, given in (("table", calls), ("Calls", ats.Calls(calls))):
        spent, library = [], []
        for _ in range(rounds):
            (_, cpu), found = timed(lambda given=given: ats.analyze(x, sae, given, tables="notebook"))
            of = found.run["cpu_seconds"]
            spent.append(cpu)
            library.append(of["encode"] + of["statistics"])
        whole, inner = statistics.median(spent), statistics.median(library)
        print(f"{name}, calls as a {what}: {whole:.3f} CPU s, of them {inner:.3f} in the library's own work: {100 * (whole / inner - 1):.1f} % over it")


def beside_the_program(name, rounds, embeddings, model, calls):
    """CPU seconds of a script and of the program on the same files. The program hashes what it reads, too."""
    given = ["--embeddings", embeddings, "--model", model, *(["--metadata", calls] if calls else [])]
    script = (
        "import sys, warnings; warnings.filterwarnings('ignore'); import atomscope as ats; import numpy as np\n"
        "embeddings, model, out = sys.argv[1:4]; calls = sys.argv[4] if len(sys.argv) > 4 else None\n"
        "x = np.load(embeddings, mmap_mode='r') if embeddings.endswith('.npy') else embeddings\n"
        "ats.analyze(x, ats.SAE.load(model), calls, tables='notebook').write(out)\n"
    )

    def spent(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-P", *map(str, command)], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    nothing = spent(["-c", "import numpy"])
    with tempfile.TemporaryDirectory() as out:
        of_program, of_script = [], []
        for number in range(rounds):
            one, other = f"{out}/program{number}", f"{out}/script{number}"
            of_program.append(spent(["-m", "atomscope", "analyze", "--quiet", *given, "--tables", "notebook", "--out", one]))
            of_script.append(spent(["-c", script, embeddings, model, other, *([calls] if calls else [])]) - nothing)
            csv = "sae_feature_bias_analysis.csv"
            assert pathlib.Path(one, csv).read_bytes() == pathlib.Path(other, csv).read_bytes()
    program, mine = statistics.median(of_program), statistics.median(of_script)
    print(f"{name}: program {program:.3f} CPU s, script {mine:.3f} CPU s without Python's and numpy's start: {100 * (mine / program - 1):+.1f} %")


def to_pandas(rounds, atoms):
    cohort = ats.simulate(2000, 32, atoms, 16, seed=1)
    found = ats.analyze(cohort.x, cohort.sae, cohort.calls, permutations=0, bootstrap=0, pairs="none")
    table = found.atoms
    (seconds,), (frame,) = alternate(rounds, table.to_pandas)
    assert frame.shape == table.shape
    print(f"{len(table)} atoms, {len(table.columns)} columns to pandas: {shown(seconds)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delly-mims", type=pathlib.Path, help="the folder of real calls")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000, help="rows beside torch")
    options = parser.parse_args()
    print(f"atomscope {ats.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads; the CPU has {instructions()}")
    print("(1.8 times torch is asked of a CPU with avx512_bf16 or amx_bf16)")
    if options.delly_mims:
        notebooks_cells(options.delly_mims, options.rounds)
    against_torch(options.rounds, options.rows, 4096, 4096, 64)
    to_pandas(options.rounds, 65_536)


if __name__ == "__main__":
    main()
