"""Which Docker Engine rehearses: the machine's, or Debian's, started for the rehearsal alone."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.rehearsal.commands import NotPossibleError, RehearsalError, run
from deploy.rehearsal.network import own_network
from deploy.rehearsal.programs import Programs
from shared.settings import inherited_environment

_START_TIMEOUT_S = 60  # two seconds on an idle machine
_STOP_TIMEOUT_S = 60  # it stops its containers first
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# Builds only: they use the machine's network as it is, and nothing of it is changed.
_WITHOUT_NETWORKS = (
    "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
    "--ip-masq=false",
)  # fmt: skip


@dataclass(frozen=True)
class Engine:
    """An engine that runs, as commands see it."""

    environment: Mapping[str, str]
    version: str

    def docker(self, *words: str | Path, cwd: Path | None = None, timeout_s: float = 600) -> str:
        """Run `docker …`; return what it wrote.

        Raises:
            RehearsalError: it failed.
        """
        argv = ["docker", *words]
        return run(argv, environment=self.environment, cwd=cwd, timeout_s=timeout_s)


def machine_engine() -> Engine | None:
    """The engine of this machine, if there is one that answers and has Compose."""
    if shutil.which("docker") is None:
        return None
    environment = inherited_environment()
    try:
        version = run(["docker", "version", "--format", "{{.Server.Version}}"], timeout_s=30)
        run(["docker", "compose", "version"], timeout_s=30)
    except RehearsalError:
        return None
    return Engine(environment, version.strip())


class OwnEngine:
    """Debian's engine in processes, mounts and a network of its own; it ends with us."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        """Take programs that are unpacked, and a folder for everything the engine keeps."""
        self._folder = folder
        self._programs = programs
        self._environment = {
            **inherited_environment(),
            **programs.environment(),
            "DOCKER_HOST": f"unix://{folder / 'docker.sock'}",
            "DOCKER_BUILDKIT": "1",
        }

    @contextmanager
    def online(self) -> Iterator[Engine]:
        """Run it for builds: on the machine's network, without any of its own."""
        with self._running(*_WITHOUT_NETWORKS) as engine:
            yield engine

    @contextmanager
    def isolated(self) -> Iterator[Engine]:
        """Run it with bridges and published ports, in a network that this thread enters, too."""
        with (
            own_network(),
            self._running(
                "--userland-proxy-path", str(self._programs.find("docker-proxy"))
            ) as engine,
        ):
            yield engine

    @contextmanager
    def _running(self, *options: str) -> Iterator[Engine]:
        log = self._folder / "dockerd.log"
        with log.open("ab") as written:
            process = subprocess.Popen(
                [*_APART, str(self._programs.find("dockerd")), *self._options(), *options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call of the C library
            )
        try:
            yield self._answering(process, log)
        finally:
            _stop(process)

    def _options(self) -> list[str]:
        folder = self._folder
        configuration = folder / "daemon.json"
        configuration.write_text("{}")  # whatever the machine has for its own engine
        return [
            f"--config-file={configuration}",
            f"--data-root={folder / 'root'}",
            f"--exec-root={folder / 'exec'}",
            f"--pidfile={folder / 'pid'}",
            f"--host=unix://{folder / 'docker.sock'}",
            "--log-level=warn",
        ]

    def _answering(self, process: subprocess.Popen[bytes], log: Path) -> Engine:
        until = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < until and process.poll() is None:
            try:
                shown = run(
                    ["docker", "version", "--format", "{{.Server.Version}}"],
                    environment=self._environment,
                )
            except RehearsalError:
                time.sleep(_POLL_S)
            else:
                return Engine(self._environment, shown.strip())
        raise RehearsalError(f"Debian's engine does not start:\n{log.read_text()[-3000:]}")


# Mounts and processes of its own: when this process is gone, so are all containers and mounts.
_APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def require_root() -> None:
    """Refuse where an engine of our own cannot run.

    Raises:
        NotPossibleError: we are not root, or a program is missing.
    """
    if os.geteuid() != 0:
        raise NotPossibleError("no Docker Engine answers, and starting one of our own needs root")
    for name in ("unshare", "ip", "dpkg-deb", "perl"):
        if shutil.which(name) is None:
            raise NotPossibleError(f"no Docker Engine answers, and one of our own needs `{name}`")
