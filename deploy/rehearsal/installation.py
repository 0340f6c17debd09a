"""A copy of this tree as after `git clone`, and the containers of its compose file."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deploy.rehearsal.commands import RehearsalError, run
from deploy.rehearsal.containers import Container, container_of
from deploy.rehearsal.engine import Engine

ROOT = Path(__file__).parents[2]
_POLL_S = 0.3


class Installation:
    """The containers of one compose file, or of several that belong together."""

    def __init__(
        self, engine: Engine, folder: Path, *, files: Sequence[str] = ("docker-compose.yml",)
    ) -> None:
        """Take an engine, the folder of a copied tree, and the names of its compose files."""
        self.engine = engine
        self.folder = folder
        self._files = [word for name in files for word in ("--file", name)]
        self._kills: Counter[str] = Counter()

    def compose(self, *words: str, timeout_s: float = 600) -> str:
        """Run `docker compose …` in the folder; return what it wrote.

        Raises:
            RehearsalError: it failed.
        """
        argv = ("compose", *self._files, *words)
        return self.engine.docker(*argv, cwd=self.folder, timeout_s=timeout_s)

    def services(self) -> dict[str, Any]:
        """Return the compose file's services, with all variables put in."""
        found: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))["services"]
        return found

    def port(self, service: str, target: int) -> str:
        """Return the port of this host at which a service publishes one of its own."""
        rows = self.services()[service]["ports"]
        return str(next(row["published"] for row in rows if row["target"] == target))

    def containers(self, *services: str) -> list[Container]:
        """Return all containers, also those that ended, or those of some services."""
        identifiers = self.compose("ps", "--all", "--quiet", *services).split()
        if not identifiers:
            return []
        return [
            container_of(row) for row in json.loads(self.engine.docker("inspect", *identifiers))
        ]

    def container(self, service: str) -> Container:
        """Return the only container of a service.

        Raises:
            RehearsalError: it has none, or several.
        """
        found = self.containers(service)
        if len(found) != 1:
            raise RehearsalError(f"{service} has {len(found)} containers instead of one")
        return found[0]

    def wait_until_healthy(self, *, timeout_s: float) -> None:
        """Wait until the engine itself finds every container healthy, or ended as it should.

        Raises:
            RehearsalError: that takes too long; with the logs of those that are not.
        """
        self._wait(lambda each: each.well, timeout_s)

    def wait_until_well(self, *, timeout_s: float) -> None:
        """Wait until every container is healthy by its own check, or ended as it should.

        The engine asks only every 15 or 30 seconds; of what it has not asked yet we run the same
        command ourselves, in the container.

        Raises:
            RehearsalError: that takes too long; with the logs of those that are not.
        """
        passed: set[tuple[str, int]] = set()

        def is_well(each: Container) -> bool:
            this_run = (each.identifier, each.process)
            if each.well or this_run in passed:
                return True
            if each.status == "running" and each.health == "starting" and self._passes(each):
                passed.add(this_run)
            return this_run in passed

        self._wait(is_well, timeout_s)

    def _wait(self, is_well: Callable[[Container], bool], timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not (found := self.containers()) or not all(is_well(each) for each in found):
            if time.monotonic() > until:
                raise RehearsalError(f"not well after {timeout_s:.0f} s:\n{self.complaints()}")
            time.sleep(_POLL_S)

    def _passes(self, container: Container) -> bool:
        try:
            self.engine.docker("exec", container.identifier, *container.check, timeout_s=30)
        except RehearsalError:
            return False
        return True

    def complaints(self) -> str:
        """Tell of every container that is not well, with the end of its log."""
        sentences = []
        for each in self.containers():
            if each.well:
                continue
            log = self.log(each.service, lines=30)
            sentences.append(f"{each.service}: {each.status} {each.health} {each.exit_code}\n{log}")
        return "\n".join(sentences)

    def log(self, service: str, *, lines: int) -> str:
        """Return the end of a service's log."""
        return self.compose("logs", "--no-color", "--tail", str(lines), service)

    def again(self, container: Container) -> Container:
        """Look at a container once more: it may have been restarted since."""
        return container_of(json.loads(self.engine.docker("inspect", container.identifier))[0])

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
        self._kills[container.identifier] += 1

    def _allowed(self, container: Container) -> int:
        # Beat ends when its lock ran out while Redis was away; see worker/watch/leadership.py.
        ends_without_its_lock = container.service == "beat"
        return self._kills[container.identifier] + ends_without_its_lock

    def require_no_own_restarts(self) -> dict[str, int]:
        """See that the engine restarted no container more often than it was killed here, but beat.

        Returns:
            How often each was, by service; those that were not are left out.

        Raises:
            RehearsalError: one ended by itself; with the end of its log.
        """
        found = self.containers()
        ended = [each for each in found if each.restarts > self._allowed(each)]
        if ended:
            told = [
                f"{each.service}: killed {self._kills[each.identifier]} times, restarted "
                f"{each.restarts} times\n{self.log(each.service, lines=200)}"
                for each in ended
            ]
            raise RehearsalError("ended by themselves:\n" + "\n".join(told))
        return {each.service: each.restarts for each in found if each.restarts}

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
