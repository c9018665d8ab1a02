"""workflow/plan.py: shards, refusals, and the tree of merges."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../workflow"))
import plan


class Tree(unittest.TestCase):
    def tree(self, shards, width):
        leaves = [f"leaf-{n}" for n in range(shards)]
        jobs = plan.merge_tree(leaves, width, "root", lambda level, index: f"{level}-{index}")
        return leaves, jobs

    def below(self, jobs, name):
        if name not in jobs:
            yield name
        for under in jobs.get(name, []):
            yield from self.below(jobs, under)

    def test_the_root_has_every_leaf_once(self):
        for width in (2, 3, 4, 32):
            sizes = {1, 2, 3, width - 1, width, width + 1, width**2 - 1, width**2, width**2 + 1}
            for shards in sorted(sizes | set(range(1, 70))):
                leaves, jobs = self.tree(shards, width)

                self.assertEqual(list(self.below(jobs, "root")), leaves)
                for output, inputs in jobs.items():
                    self.assertLessEqual(len(inputs), width)
                    # A merge of one would copy it.
                    self.assertTrue(len(inputs) > 1 or shards == 1, (output, inputs))

    def test_the_number_of_jobs(self):
        expected = {(1, 32): 1, (2, 32): 1, (32, 32): 1, (33, 32): 2, (64, 32): 3, (1024, 32): 33,
                    (1025, 32): 34, (8, 4): 3, (5, 2): 4}  # fmt: skip
        for (shards, width), jobs in expected.items():
            self.assertEqual(len(self.tree(shards, width)[1]), jobs, (shards, width))


class Shards(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=""):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def sheet(self, text, name="shards.tsv"):
        return plan.find_shards({"samples": self.path(name, text)})

    def refused(self, part, function, *arguments):
        with self.assertRaises(plan.Refusal) as caught:
            function(*arguments)
        self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_a_sheet(self):
        text = "\ufeff# shards\nname\tembeddings\trows\tcaller\n\nx\ta.pt\t\tdelly\n\tb.pt\t0..10\t\n\tb.pt\t10..20\n"
        self.assertEqual(
            self.sheet(text),
            [
                plan.Shard("x", "a.pt"),
                plan.Shard("b.0-10", "b.pt", rows="0..10"),
                plan.Shard("b.10-20", "b.pt", rows="10..20"),
            ],
        )
        self.assertEqual(
            self.sheet('embeddings,metadata\n"a,1.pt",calls.tsv\n', "shards.csv"),
            [plan.Shard("a_1", "a,1.pt", "calls.tsv")],
        )
        self.assertEqual(plan.ignored_columns(self.path("s.tsv", text)), ["caller"])

    def test_refused_sheets(self):
        for text, part in [
            ("", "is empty"),
            ("embeddings\n", "no shard"),
            ("file\trows\na.pt\t\n", "no column embeddings; it has file, rows (read as TSV)"),
            ("embeddings\trows\na.pt\t5..5\n", "line 2: rows is '5..5'"),
            ("embeddings\trows\na.pt\t5-9\n", "line 2: rows is '5-9'"),
            ("embeddings\tname\n#\na.pt\tx/y\n", "line 3: the name 'x/y'"),
            ("embeddings\tname\n\tx\n", "the cell embeddings is empty"),
            ("embeddings\tname\na.pt\tb\tc\n", "3 cells under 2 columns"),
            ("embeddings\na/x.pt\nb/x.pt\n", "two shards are called 'x': a/x.pt and b/x.pt"),
            ("embeddings\tname\na.pt\tx\n./a.pt\ty\n", "have rows of a.pt in common"),
            ("embeddings\trows\na.pt\t0..9\na.pt\t8..12\n", "'a.0-9' and 'a.8-12' have rows"),
            ("embeddings\trows\na.pt\t3..9\na.pt\t\n", "'a' and 'a.3-9' have rows"),
        ]:
            self.refused(part, self.sheet, text)
        self.refused("No such file", plan.find_shards, {"samples": "/nowhere/s.tsv"})

    def test_globs(self):
        for name in ("b.pt", "a.pt", "deep/c.pt", "deep/a.pt"):
            self.path(name)
        glob = os.path.join(self.folder.name, "*.pt")
        config = {"samples": "", "embeddings": glob}
        self.assertEqual([s.name for s in plan.find_shards(config)], ["a", "b"])
        config["embeddings"] = [glob, os.path.join(self.folder.name, "deep/c.*"), glob]
        self.assertEqual([s.name for s in plan.find_shards(config)], ["a", "b", "c"])
        config["embeddings"] = os.path.join(self.folder.name, "**/*.pt")
        self.refused("two shards are called 'a'", plan.find_shards, config)
        config["embeddings"] = [glob, "/nowhere/*.pt"]
        self.refused("nothing matches '/nowhere/*.pt'", plan.find_shards, config)
        self.refused("both", plan.find_shards, {"samples": "s.tsv", "embeddings": glob})
        self.refused("no shards", plan.find_shards, {"samples": "", "embeddings": None})

    def test_a_name_that_looks_like_a_pattern(self):
        path = self.path("odd[1].pt")
        shards = plan.find_shards({"samples": "", "embeddings": path})
        self.assertEqual(shards, [plan.Shard("odd_1_", path)])
        self.refused(
            "nothing matches",
            plan.find_shards,
            {"samples": "", "embeddings": os.path.dirname(path)},
        )

    def test_braces_in_paths(self):
        wild = self.path("chr{1}.npy")
        config = {"samples": "", "embeddings": os.path.join(self.folder.name, "*.npy")}
        self.refused(f"Snakemake takes {{1}} in {wild!r}", plan.find_shards, config)
        for name in ("{x}.pt", "{x,a+}.pt", "{{x}}.pt", "a{ x }b.pt", "{d}/a.pt"):
            text = f"embeddings\tname\n{name}\tgood\n"
            self.refused("for a wildcard; rename it", self.sheet, text)
            text = f"embeddings\tname\tmetadata\na.pt\tgood\t{name}\n"
            self.refused("for a wildcard; rename it", self.sheet, text)
            self.refused("config: model", plan.model_file, name)
        # These Snakemake leaves alone.
        os.remove(wild)
        for name in ("a{.npy", "b}.npy", "c{}.npy", "d}x{.npy"):
            self.path(name)
        self.assertEqual(len(plan.find_shards(config)), 4)
        self.refused("name 'x{y}'", self.sheet, "embeddings\tname\na.pt\tx{y}\n")

    def test_tables_beside(self):
        embeddings = self.path("a.npy")
        self.assertEqual(plan.tables_beside(embeddings), [])
        tables = [self.path("a.tsv"), self.path("a.jsonl.gz")]
        self.path("ab.tsv")
        self.path("a.npy.tsv")
        self.assertEqual(plan.tables_beside(embeddings), tables)

    def test_files_that_are_missing(self):
        here = self.path("here.pt")
        plan.refuse_missing("s", [plan.Shard("x", here)])
        shards = [plan.Shard("x", here, metadata="/nowhere/m"), plan.Shard("y", "/nowhere/e.pt")]
        self.refused("no such file: /nowhere/m (and 1 more)", plan.refuse_missing, "s", shards)

    def test_the_model(self):
        sae = self.path("model/sae.pt")
        self.assertEqual(plan.model_file(sae), sae)
        self.assertEqual(plan.model_file(os.path.dirname(sae)), sae)
        best = self.path("best/BEST_MODEL.json")
        self.assertEqual(plan.model_file(os.path.dirname(best)), best)
        self.refused("no model", plan.model_file, "")
        self.refused("no such file or folder", plan.model_file, "/nowhere")
        self.refused("has no sae.pt", plan.model_file, self.folder.name)


class Config(unittest.TestCase):
    good = dict.fromkeys(plan.KEYS, "") | dict.fromkeys(plan.NUMBERS, "2") | {
        "device": "cpu", "out": "o", "atomscope": "a", "samples": None,
    }  # fmt: skip

    def test_values(self):
        checked = plan.check_config(self.good)
        self.assertEqual(checked["merge_width"], 2)
        self.assertEqual(checked["samples"], "")
        for device in ("auto", "cuda", "cuda:1", "cuda:all"):
            plan.check_config(self.good | {"device": device})

    def test_refusals(self):
        for change, part in [
            ({"embedings": "x"}, "there is no option 'embedings'"),
            ({"tally_gpu": "many"}, "tally_gpu is 'many'"),
            ({"merge_width": 1}, "merge_width is 1; expected 2 or more"),
            ({"device": "gpu"}, "device is 'gpu'"),
            ({"out": ""}, "out is empty"),
            ({"out": "results/{cohort}"}, "config: out: Snakemake takes {cohort}"),
        ]:
            with self.assertRaises(plan.Refusal) as caught:
                plan.check_config(self.good | change)
            self.assertIn(part, str(caught.exception))

    def test_the_file_has_every_option(self):
        import yaml

        folder = os.path.dirname(plan.__file__)
        with open(os.path.join(folder, "config.yaml"), encoding="utf-8") as file:
            self.assertEqual(set(yaml.safe_load(file)), plan.KEYS)


if __name__ == "__main__":
    unittest.main()
