"""What a supervisor writes down in its DATA_DIR, and the lock that keeps it alone there."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ops.local.errors import AlreadyRunningError, DataDirUnusableError
from ops.local.identity import Identity


class Phase(StrEnum):
    """Where a service, or the whole system, is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ServiceState(BaseModel):
    """One service: its process and the guard that ends with everything of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    phase: Phase
    process: Identity | None
    guard: Identity | None
    restarts: int
    port: int | None
    url: str | None


class SupervisorState(BaseModel):
    """The whole system as the supervisor saw it last."""

    model_config = ConfigDict(frozen=True)

    supervisor: Identity
    phase: Phase
    services: tuple[ServiceState, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a DATA_DIR."""

    data_dir: Path

    @property
    def run(self) -> Path:
        """What concerns the running system."""
        return self.data_dir / "run"

    @property
    def logs(self) -> Path:
        """One log file per service."""
        return self.data_dir / "logs"

    @property
    def secrets(self) -> Path:
        """The generated passwords."""
        return self.data_dir / "secrets.json"

    @property
    def ports(self) -> Path:
        """The ports of the last run."""
        return self.run / "ports.json"

    def make(self) -> None:
        """Make the folders; others may pass through, since PostgreSQL may run as another user.

        Raises:
            DataDirUnusableError: they cannot be made.
        """
        try:
            if not self.data_dir.exists():
                self.data_dir.mkdir(parents=True)
                self.data_dir.chmod(0o711)  # whatever the umask: enter, but not list
            self.run.mkdir(exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise DataDirUnusableError(
                f"DATA_DIR {self.data_dir} cannot be written: {error.strerror}; choose another."
            ) from None

    def load(self) -> SupervisorState | None:
        """What the last supervisor wrote; None when there was none, or a power cut emptied it."""
        try:
            return SupervisorState.model_validate_json((self.run / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def save(self, state: SupervisorState) -> None:
        """Replace the state file in one step, so that readers never see half of it."""
        unfinished = self.run / "state.json.unfinished"
        unfinished.write_text(state.model_dump_json(indent=2))
        unfinished.replace(self.run / "state.json")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only supervisor of this DATA_DIR; the kernel unlocks it when we die.

        Raises:
            AlreadyRunningError: another supervisor holds it.
            DataDirUnusableError: the folder cannot be written.
        """
        self.make()
        with (self.run / "supervisor.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                state = self.load()
                who = "" if state is None else f" (pid {state.supervisor.pid})"
                raise AlreadyRunningError(
                    f"Another supervisor{who} runs on DATA_DIR {self.data_dir}; "
                    "stop it first or choose another DATA_DIR."
                ) from None
            yield
