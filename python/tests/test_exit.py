"""The end of the process, while blocks are read by threads that were left alone."""

import os
import subprocess
import sys
import textwrap

import pytest

BEGIN = """
    import os, signal, sys, threading, time
    import atomscope as ats
    x, sae, calls, _ = ats.simulate(20000, 64, 256, 8, seed=1)

    class Slow:
        shape, dtype = x.shape, x.dtype
        reads = threading.Event()
        def __getitem__(self, rows):
            self.reads.set()
            end = time.perf_counter() + 0.5
            while time.perf_counter() < end:
                pass
            return x[rows]

    def work(**given):
        ats.analyze(Slow(), sae, calls, permutations=0, bootstrap=0, **given)
"""


def ended(code, *, seconds=60):
    """Run a script that reads blocks, and return its exit code and what it prints."""
    script = textwrap.dedent(BEGIN) + textwrap.dedent(code)
    found = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=seconds, check=False
    )
    return found.returncode, found.stdout, found.stderr


@pytest.mark.parametrize("code", [0, 7])
def test_exit_after_ctrl_c_waits_for_the_block_that_is_read(code):
    found = ended(f"""
        def interrupt():
            Slow.reads.wait()
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=interrupt).start()
        try:
            work()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        sys.exit({code})
    """)
    assert found == (code, "interrupted\n", "")


def test_exit_after_progress_waits_for_the_block_that_is_read():
    code, out, err = ended("""
        try:
            work(progress=lambda *state: not Slow.reads.is_set())
        except ats.CancelledError:
            print("cancelled", flush=True)
    """)
    assert (code, out, err) == (0, "cancelled\n", "")


def test_exit_while_a_daemon_thread_reads():
    code, _, err = ended("""
        threading.Thread(target=work, daemon=True).start()
        Slow.reads.wait()
        sys.exit(3)
    """)
    assert (code, err) == (3, "")


def test_exit_while_a_daemon_thread_waits_for_long_work():
    code, _, err = ended("""
        def analyze():
            ats.analyze(x, sae, calls, permutations=100_000, bootstrap=0)
        threading.Thread(target=analyze, daemon=True).start()
        time.sleep(0.5)
        sys.exit(3)
    """)
    assert (code, err) == (3, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_exit_of_a_forked_process_waits_for_nobody():
    code, _, err = ended("""
        threading.Thread(target=work, daemon=True).start()
        Slow.reads.wait()
        child = os.fork()
        if child == 0:
            sys.exit(5)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert code == 5, err
