"""A small system for the tests: both servers and a worker that leaves processes of its own."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.local.foreground import run_foreground
from ops.local.postgres import EmbeddedPostgres
from ops.local.process import ChildSpec
from ops.local.service import Ground, Plan, Service
from ops.local.valkey import EmbeddedValkey
from shared.errors import AppError

WORKER = """
import pathlib, signal, subprocess, sys
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for alone in (False, True):
    subprocess.Popen(["sleep", "600"], start_new_session=alone)
pathlib.Path(sys.argv[2]).touch()
print("worker is up", flush=True)
signal.pause()
"""


def worker_service(
    folder: Path, manner: str = "polite", *, depends_on: tuple[str, ...] = ()
) -> Service:
    """A process with two children, one of them in a session of its own."""
    up = folder / "worker-is-up"

    def prepare() -> ChildSpec:
        up.unlink(missing_ok=True)
        return ChildSpec(
            name="worker",
            argv=(sys.executable, "-c", WORKER, manner, str(up)),
            log_path=folder / "logs" / "worker.log",
            cwd=folder,
            environment={"PATH": "/usr/bin:/bin"},
            stop_timeout_s=0.5,
        )

    async def ready() -> bool:
        return await asyncio.to_thread(up.exists)

    return Service(name="worker", prepare=prepare, ready=ready, depends_on=depends_on)


def compose(ground: Ground) -> Sequence[Service]:
    postgres = EmbeddedPostgres(
        ground.data_dir,
        ground.ports["postgres"],
        user="fleet",
        password=ground.credentials.postgres_password,
        database="fleet",
    )
    valkey = EmbeddedValkey(
        ground.data_dir, ground.ports["valkey"], password=ground.credentials.valkey_password
    )
    worker = worker_service(ground.data_dir, depends_on=("postgres", "valkey"))
    return [postgres.service(), valkey.service(), worker]


def main() -> int:
    valkey_port = int(sys.argv[2]) if len(sys.argv) > 2 else None
    plan = Plan(
        data_dir=Path(sys.argv[1]),
        ports={"postgres": None, "valkey": valkey_port},
        compose=compose,
    )
    try:
        return asyncio.run(run_foreground(plan))
    except AppError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201 - a command's last words
        return 1


if __name__ == "__main__":
    sys.exit(main())
