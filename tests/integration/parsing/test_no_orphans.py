"""No process outlives the one that opened the pool, not even after kill -9."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

PARENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import celery.app  # what a worker's main module has loaded; its children must not
import hostile
from worker.parsing import ParserPool

if __name__ == "__main__":
    path = Path(sys.argv[1])
    pool = ParserPool(workers=2, timeout_s=600, memory_bytes=1 << 30)

    async def main():
        report = await pool.run(hostile.report_on_the_child, path, "x")
        print(report.text, flush=True)
        await pool.run(hostile.sleep_in_native_code, path, "x")

    asyncio.run(main())
"""


def _descendants(pid: int) -> set[int]:
    children = {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }
    return children.union(*map(_descendants, children))


def test_nothing_outlives_a_parent_killed_while_it_parses(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(here=str(Path(__file__).parent)))
    document = tmp_path / "document"
    document.write_text("words")
    with subprocess.Popen(
        [sys.executable, script, document], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        report = parent.stdout.readline()
        while not (tmp_path / "document.pid").exists():
            assert parent.poll() is None
        # A resource tracker, a forkserver and two children.
        pids = _descendants(parent.pid)
        watched = [os.pidfd_open(pid) for pid in pids]
        try:
            parent.send_signal(signal.SIGKILL)
            for descriptor in watched:
                ended, _, _ = select.select([descriptor], [], [], 30)
                assert ended, "a process outlived its parent"
        finally:
            for descriptor in watched:
                os.close(descriptor)

    assert len(pids) == 4
    assert report.strip().endswith("[]"), "the child imported the parent's main module"
