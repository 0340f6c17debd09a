"""Migrations of which an end has settings of its own, each step in a process with those alone.

LightRAG's storages read their servers from the environment of their process, once. So an
installation is read, and filled, by a process that knows no other; between two of them there is an
archive, which is deleted when everything was compared.
"""

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO

from ops.client.failures import ExitCode
from ops.client.session import complain, output
from ops.migrate.errors import MigrationRunningError, PlaceError
from ops.migrate.leg import arguments
from ops.migrate.other_settings import settings_of
from ops.migrate.places import OWN_SETTINGS, Place, PlaceKind
from ops.migrate.request import Request
from shared.connections import ledger_url
from shared.settings import Settings, load_settings

# What a shell makes of a child that a signal ended.
_SIGNALLED = 128


def needs_processes(request: Request) -> bool:
    """Whether a migration cannot run in this process with its settings."""
    both = request.source.kind is request.target.kind is PlaceKind.SETTINGS
    return both or request.source.has_own_settings or request.target.has_own_settings


def run_in_processes(request: Request, *, archive_dir: Path | None) -> int:
    """Carry a request out in child processes, which tell how it goes, and return the exit code.

    Args:
        request: what a person asked for.
        archive_dir: where the archive between two installations lies for a while; left out:
            `migrations` in the target's DATA_DIR.

    Raises:
        SettingsError: the settings of an end are wrong; nothing was begun.
        MigrationRunningError: the same one is running.
        OSError: the folder cannot be written into.
    """
    resolved = replace(request, source=request.source.resolved(), target=request.target.resolved())
    settings = {
        end: _settings(end)
        for end in (resolved.source, resolved.target)
        if end.kind is PlaceKind.SETTINGS
    }
    if not resolved.source.kind is resolved.target.kind is PlaceKind.SETTINGS:
        return _run(resolved)
    is_same = (resolved.source_workspace or resolved.workspace) == resolved.workspace
    if is_same and resolved.source == resolved.target:
        raise PlaceError("Source and target are the same workspace; name another one or a file.")
    folder = archive_dir or settings[resolved.target].storage.data_dir / "migrations"
    return _run_both(resolved, folder.resolve(), settings)


def _settings(place: Place) -> Settings:
    return settings_of(place) if place.has_own_settings else load_settings()


def _run_both(request: Request, folder: Path, settings: Mapping[Place, Settings]) -> int:
    """Go by way of an archive; a first step that was done is not done again."""
    path = folder / f"between-{_name(request, settings)}.ragfleet"
    archive = Place(PlaceKind.ARCHIVE, path)
    # What is to be done to the target's workspace is the second step's.
    first = replace(
        request, target=archive, verify_only=False, is_replacing=False, is_re_embedding=False
    )
    if request.dry_run:
        return _run(first)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path) as lock:
        for leftover in folder.glob(f"{path.name}.*.part"):  # of one that was killed
            leftover.unlink()
        if path.exists():
            _tell_resumed(path)
        else:
            output.print(f"Step 1 of 2: from {request.source} into {path}", markup=False)
            if code := _run(first, lock):
                return code
        output.print(f"Step 2 of 2: from there into {request.target}", markup=False)
        between = replace(archive, shown_as=str(request.source))
        if code := _run(replace(request, source=between, source_workspace=""), lock):
            sentence = f"{path} is kept: the same command goes on from there. Or delete it."
            complain(sentence)
            return code
        path.unlink()
        output.print(f"{path} was deleted.", markup=False)
        return ExitCode.FINE


def _name(request: Request, settings: Mapping[Place, Settings]) -> str:
    """Name an archive by what it is for: the same command about the same stores finds it again."""
    ends = (request.source_workspace, request.workspace)
    stores = [_stores(settings[place]) for place in (request.source, request.target)]
    return hashlib.sha256(repr((*ends, *stores)).encode()).hexdigest()[:16]


def _stores(settings: Settings) -> tuple[str, str]:
    """Tell installations apart; `settings` alone means another one in another working folder."""
    ledger = ledger_url(settings).render_as_string(hide_password=True)
    return ledger, str(settings.storage.data_dir.resolve())


def _tell_resumed(path: Path) -> None:
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    output.print(
        f"Step 1 of 2 was done at {made_at:%Y-%m-%d %H:%M} UTC. What was written into the source "
        f"since is not in {path}; delete that file to begin anew.",
        markup=False,
    )


@contextmanager
def _alone(path: Path) -> Iterator[IO[bytes]]:
    """Hold a lock that children share, so that it outlives this process as long as they do."""
    lock_path = path.with_suffix(".lock")
    with lock_path.open("wb") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise MigrationRunningError from None
        if os.fstat(lock.fileno()).st_nlink == 0:
            raise MigrationRunningError  # until this moment: it took its file away
        yield lock
        lock_path.unlink(missing_ok=True)


def _run(request: Request, lock: IO[bytes] | None = None) -> int:
    """Carry out a step in a child that works where its settings lie, and return its exit code."""
    installation = next(
        end for end in (request.source, request.target) if end.kind is PlaceKind.SETTINGS
    )
    folder = None if installation.path == OWN_SETTINGS else installation.path.parent
    child = subprocess.Popen(  # noqa: S603 - our own module
        arguments(request), cwd=folder, pass_fds=() if lock is None else (lock.fileno(),)
    )
    with _passing_on(child):
        code = child.wait()
    return code if code >= 0 else _SIGNALLED - code


@contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the child end as it should when somebody ends this process.

    A terminal sends Ctrl-C to both; then the child is the one that tells.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, terminated)
