"""Progress: every stage is told, and returning False ends each of them."""

import threading
import time

import numpy as np
import pytest

import atomscope as ats
from atomscope._progress import _Bar


def told(run):
    states = []
    run(lambda *state: states.append(state))
    return states


def test_stages_of_the_statistics_are_told_with_their_totals(cohort):
    states = told(
        lambda progress: ats.analyze(
            cohort.x, cohort.sae, cohort.calls, permutations=60_000, bootstrap=60_000, predict=True, threads=1,
            progress=progress,
        )
    )
    totals = {stage: total for stage, _, total in states}
    # A stage that is shorter than a tick, as encoding here, may not be told.
    assert {"permuting", "bootstrapping", "predicting"} <= set(totals)
    assert totals["permuting"] == 60_000 and totals["bootstrapping"] == 600_000
    for stage, total in totals.items():
        done = [done for name, done, _ in states if name == stage]
        assert done == sorted(done) and (total == 0 or done[-1] <= total), stage
    assert len({done for stage, done, _ in states if stage == "permuting"}) > 2


def test_tables_of_a_tally_are_told(cohort):
    tally = ats.tally(cohort.x, cohort.sae, cohort.calls, name="1")
    states = told(lambda progress: tally.analyze(permutations=60_000, bootstrap=0, progress=progress))
    assert ("permuting", 60_000) in {(stage, total) for stage, _, total in states}


def test_merging_is_told(cohort, tmp_path):
    for number, rows in enumerate((slice(0, 700), slice(700, 2000))):
        calls = cohort.calls.to_pandas()[rows]
        ats.tally(cohort.x[rows], cohort.sae, calls, name=str(number)).save(tmp_path / f"{number}.tally")
    states = told(lambda progress: ats.merge(str(tmp_path / "*.tally"), progress=progress))
    assert states[-1] == ("merging", 2, 2)


@pytest.mark.parametrize("work", ["permutations", "tally", "prediction"])
def test_false_ends_a_run_in_another_thread_within_a_second_or_so(cohort, work):
    stop, ended = threading.Event(), []
    tally = ats.tally(cohort.x, cohort.sae, cohort.calls, name="1")

    def run():
        def progress(*state):
            return not stop.is_set()

        long = {"permutations": 3_000_000, "bootstrap": 0, "progress": progress}
        with pytest.raises(ats.CancelledError):
            if work == "tally":
                tally.analyze(**long)
            elif work == "prediction":
                few = {**long, "permutations": 0}
                ats.analyze(np.tile(cohort.x, (12, 1)), cohort.sae, cohort.calls.to_pandas().to_dict("records") * 12,
                            predict="locus", **few)
            else:
                ats.analyze(cohort.x, cohort.sae, cohort.calls, **long)
        ended.append(time.perf_counter())

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.8)
    stop.set()
    asked = time.perf_counter()
    thread.join(30)
    assert ended and ended[0] - asked < 2.0


def test_a_state_without_news_is_told_again_each_second(cohort):
    class Slow:
        shape, dtype = cohort.x.shape, cohort.x.dtype

        def __getitem__(self, rows):
            time.sleep(2.6)
            return cohort.x[rows]

    states = told(lambda progress: cohort.sae.encode(Slow(), progress=progress))
    assert states.count(("starting", 0, 0)) + states.count(("encoding", 0, 2000)) >= 2
    assert states[-1] == ("encoding", 2000, 2000)


def test_bar_has_the_unit_of_its_stage():
    made = []

    class Tqdm:
        def __init__(self, **given):
            self.n = 0
            made.append((given["desc"], given["total"], given["unit"]))

        def update(self, more):
            self.n += more

        def close(self):
            pass

    bar = _Bar(Tqdm)
    for state in (("encoding", 5, 10), ("encoding", 10, 10), ("permuting", 0, 100), ("permuting", 64, 100),
                  ("comparing", 0, 0)):
        bar(*state)
    assert made == [("encoding", 10, " calls"), ("permuting", 100, " permutations"), ("comparing", None, "")]
