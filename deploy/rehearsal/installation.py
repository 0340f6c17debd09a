"""A copy of this tree as after `git clone`, and the containers of its compose file."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.rehearsal.commands import RehearsalError, run
from deploy.rehearsal.engine import Engine

ROOT = Path(__file__).parents[2]
_POLL_S = 0.3


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

    @property
    def well(self) -> bool:
        """Whether it is as it should be: healthy, or done."""
        if self.status == "exited":
            return self.exit_code == 0
        return self.status == "running" and self.health in {"", "healthy"}


class Installation:
    """The containers of one compose file."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Take an engine, and the folder of a copied tree."""
        self.engine = engine
        self.folder = folder

    def compose(self, *words: str, timeout_s: float = 600) -> str:
        """Run `docker compose …` in the folder; return what it wrote.

        Raises:
            RehearsalError: it failed.
        """
        return self.engine.docker("compose", *words, cwd=self.folder, timeout_s=timeout_s)

    def services(self) -> dict[str, Any]:
        """Return the compose file's services, with all variables put in."""
        found: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))["services"]
        return found

    def containers(self, *services: str) -> list[Container]:
        """Return all containers, also those that ended, or those of some services."""
        identifiers = self.compose("ps", "--all", "--quiet", *services).split()
        if not identifiers:
            return []
        return [_container(row) for row in json.loads(self.engine.docker("inspect", *identifiers))]

    def container(self, service: str) -> Container:
        """Return the only container of a service.

        Raises:
            RehearsalError: it has none, or several.
        """
        found = self.containers(service)
        if len(found) != 1:
            raise RehearsalError(f"{service} has {len(found)} containers instead of one")
        return found[0]

    def wait_until_well(self, *, timeout_s: float) -> None:
        """Wait until every container is healthy, or ended as it should.

        Raises:
            RehearsalError: that takes too long; with the logs of those that are not.
        """
        until = time.monotonic() + timeout_s
        while not (found := self.containers()) or not all(each.well for each in found):
            if time.monotonic() > until:
                raise RehearsalError(f"not well after {timeout_s:.0f} s:\n{self.complaints()}")
            time.sleep(_POLL_S)

    def complaints(self) -> str:
        """Tell of every container that is not well, with the end of its log."""
        sentences = []
        for each in self.containers():
            if each.well:
                continue
            log = self.compose("logs", "--no-color", "--tail", "30", each.service)
            sentences.append(f"{each.service}: {each.status} {each.health} {each.exit_code}\n{log}")
        return "\n".join(sentences)

    def again(self, container: Container) -> Container:
        """Look at a container once more: it may have been restarted since."""
        return _container(json.loads(self.engine.docker("inspect", container.identifier))[0])

    def crash(self, container: Container, *, helper: str) -> None:
        """Kill a container's first process from outside, as a crash does.

        `docker kill` would not do: the engine takes it as a wish that the container stays away.

        Args:
            container: which one.
            helper: an image with Python.
        """
        code = f"import os; os.kill({container.process}, 9)"
        options = ("--rm", "--pid=host", "--network=none", "--user=0:0", "--entrypoint=python")
        self.engine.docker("run", *options, helper, "-S", "-c", code)

    def wait_until_restarted(self, before: Container, *, timeout_s: float) -> None:
        """Wait until a container that ended runs again.

        Raises:
            RehearsalError: it does not.
        """
        until = time.monotonic() + timeout_s
        while True:
            now = self.again(before)
            if now.status == "running" and now.restarts > before.restarts:
                return
            if time.monotonic() > until:
                raise RehearsalError(f"{before.service} was not restarted within {timeout_s:.0f} s")
            time.sleep(_POLL_S)


def copy_tree(target: Path) -> None:
    """Copy what git knows of, or would: no .env, no data, no environment of a developer."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def _container(row: dict[str, Any]) -> Container:
    state = row["State"]
    return Container(
        identifier=row["Id"],
        service=row["Config"]["Labels"]["com.docker.compose.service"],
        status=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        restarts=row["RestartCount"],
        process=state["Pid"],
    )
