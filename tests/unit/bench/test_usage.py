"""CPU and memory of a process and of what it started, and nobody else's."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.measure.usage import measured

BURN_S = 0.4
TICKS_S = 0.05  # the system counts in ticks of 10 ms, each process for itself
# The child's own child does the work and has ended when its parent says so.
PROGRAM = f"""
import subprocess, sys
burn = "import time\\nwhile time.process_time() < {BURN_S}: pass"
sys.stdin.readline()
subprocess.run([sys.executable, "-S", "-c", burn])
print("burnt", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


async def test_a_process_is_measured_with_the_children_it_had(
    worker: subprocess.Popen[str],
) -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None
    async with measured(lambda: {"worker": worker.pid}) as usage:
        worker.stdin.write("go\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "burnt\n"
    assert BURN_S - TICKS_S <= usage.cpu_s["worker"] < 4 * BURN_S
    assert usage.cpu_s["harness"] < BURN_S
    assert usage.peak_rss_mib["worker"] > 1
    assert usage.others_cpu_s >= 0


async def test_a_process_that_has_ended_is_left_out(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.wait()
    async with measured(lambda: {"worker": worker.pid}) as usage:
        pass
    assert set(usage.cpu_s) == {"harness"}
