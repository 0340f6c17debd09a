"""What the supervisor is asked to run: services, and the plan that composes them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.credentials import Credentials
from ops.local.process import ChildSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One long-lived process of the system."""

    name: str
    prepare: Callable[[], ChildSpec]
    """Makes what the process needs and says how to run it; before every start, in a thread."""
    ready: Callable[[], Awaitable[bool]]
    """Whether it can be used now; an AppError means that waiting longer is of no use."""
    depends_on: tuple[str, ...] = ()
    """Services that are ready before this one starts and stop after it."""
    port: int | None = None
    url: str | None = None
    """Shown to people: without user and password."""
    start_timeout_s: float = 60.0
    """A cold start on a slow laptop takes about 20 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What services can be composed from, once DATA_DIR is ours."""

    data_dir: Path
    ports: Mapping[str, int]
    credentials: Credentials

    @property
    def logs(self) -> Path:
        """The folder for log files."""
        return self.data_dir / "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The system to run in one DATA_DIR."""

    data_dir: Path
    ports: Mapping[str, int | None]
    """By service name; None leaves the choice to us."""
    compose: Callable[[Ground], Sequence[Service]]
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Secrets of the settings that services may log, such as model keys; never shown in errors."""
