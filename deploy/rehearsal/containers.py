"""Containers, as the engine tells of them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Container:
    """What the engine says of one container."""

    identifier: str
    service: str
    status: str
    health: str
    """Empty where nothing checks it."""
    exit_code: int
    restarts: int
    process: int
    check: tuple[str, ...]
    """The command of its health check, as the engine runs it; empty where there is none."""

    @property
    def well(self) -> bool:
        """Whether it is as it should be: healthy, or done."""
        if self.status == "exited":
            return self.exit_code == 0
        return self.status == "running" and self.health in {"", "healthy"}


def container_of(row: dict[str, Any]) -> Container:
    """Read what `docker inspect` says of one container."""
    state = row["State"]
    return Container(
        identifier=row["Id"],
        service=row["Config"]["Labels"]["com.docker.compose.service"],
        status=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        restarts=row["RestartCount"],
        process=state["Pid"],
        check=_command((row["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]),
    )


def _command(test: list[str]) -> tuple[str, ...]:
    kind, *words = test
    if kind == "NONE":
        return ()
    return ("/bin/sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)
