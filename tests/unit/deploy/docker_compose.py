"""docker compose, which needs no engine to read files: the machine's, or Debian's in CI."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.programs import Programs
from shared.settings import inherited_environment, user_cache_folder
from tests.services import not_available

PROFILES = ("production", "monitoring", "tools")


def compose(folder: Path, files: list[str], *words: str, **variables: str) -> tuple[int, str]:
    """Run it; answers its exit code, and what it wrote or complains of."""
    named = [word for file in files for word in ("-f", file)]
    profiles = [word for profile in PROFILES for word in ("--profile", profile)]
    done = subprocess.run(
        ["docker", "compose", *named, *profiles, *words],
        cwd=folder,
        env={**_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def _environment() -> Mapping[str, str]:
    for candidate in _candidates():
        if shutil.which("docker", path=candidate["PATH"]) is None:
            continue
        asked = ["docker", "compose", "version"]
        if subprocess.run(asked, env=candidate, capture_output=True, check=False).returncode == 0:
            return candidate
    return not_available("docker compose is not here; `make rehearse` brings it")


def _candidates() -> Iterator[dict[str, str]]:
    own = {"PATH": inherited_environment()["PATH"], "HOME": str(Path.home())}
    yield own
    cache = user_cache_folder() / "ragfleet-rehearsal"
    programs = Programs(cache)
    if not programs.fetched and inherited_environment().get("CI"):  # there it must run
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "programs.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                programs.fetch()
            except RehearsalError as error:
                not_available(str(error))
    if programs.fetched:
        yield own | programs.environment()
