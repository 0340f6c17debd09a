"""The whole rehearsal: an engine, the images, and everything that is done with the containers."""

import fcntl
import os
import platform
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.rehearsal import play
from deploy.rehearsal.engine import Engine, OwnEngine, machine_engine, require_root
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.preparation import build_images, build_with_compose, prepare_tree
from deploy.rehearsal.programs import Programs
from deploy.rehearsal.standins import StandIns
from deploy.rehearsal.transcript import Transcript
from shared.settings import user_cache_folder


def rehearse(out: Path, *, stand_ins: bool) -> None:
    """Do all of it, and write the transcript, also of a rehearsal that fails.

    Args:
        out: the JSON file.
        stand_ins: use an engine of our own, even if the machine has one.

    Raises:
        NotPossibleError: there is no engine, and none can be started.
        RehearsalError: something did not go as it should.
    """
    engine = None if stand_ins else machine_engine()
    if engine is None:
        require_root()
    transcript = Transcript(_ground())
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    cache = user_cache_folder() / "ragfleet-rehearsal"
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with _folder(cache) as folder:
            if engine is None:
                _with_stand_ins(cache, folder, transcript)
            else:
                _with_machine_engine(engine, folder, transcript)
    finally:
        if transcript.entries:
            transcript.write(out)


def _ground() -> dict[str, object]:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kind = f"{platform.system()} {platform.machine()}"
    load = os.getloadavg()[1]  # of the last five minutes: what others do here
    return {
        "machine": f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {kind}",
        "load average before it began": f"{load:.1f}",
    }


def _with_machine_engine(engine: Engine, folder: Path, transcript: Transcript) -> None:
    transcript.ground |= {
        "engine": f"Docker {engine.version} of the machine",
        "images": "the real ones",
    }
    with transcript.step("Preparation", "a copy of the tree, `ragfleet init-env`, a certificate"):
        tree = prepare_tree(folder)
    installation = Installation(engine, tree)
    with transcript.step("Preparation", "`docker compose build`") as entry:
        build_with_compose(installation, entry.seen)
    play.play(installation, transcript)


def _with_stand_ins(cache: Path, folder: Path, transcript: Transcript) -> None:
    programs = Programs(cache)
    with transcript.step("Preparation", "an engine from Debian's packages") as entry:
        entry.seen["cache"] = "warm" if programs.fetched else "cold"
        programs.fetch()
    own = OwnEngine(programs, folder)
    images = StandIns(cache, programs)
    with own.online() as engine:
        transcript.ground |= {
            "engine": f"Docker {engine.version} from Debian's packages",
            "images": "the project's own from its Dockerfiles; stand-ins for all others",
        }
        with transcript.step("Preparation", "stand-ins for the images of others") as entry:
            entry.seen["cache"] = "warm" if images.ready else "cold"
            images.bring(engine)
        with transcript.step(
            "Preparation", "a copy of the tree, `ragfleet init-env`, a certificate"
        ):
            tree = prepare_tree(folder)
        with transcript.step("Preparation", "the project's images") as entry:
            build_images(Installation(engine, tree), entry.seen)
    with own.isolated() as engine:
        play.play(Installation(engine, tree), transcript)


@contextmanager
def _folder(cache: Path) -> Iterator[Path]:
    """Give a folder for this run, one run at a time; what a killed one left is removed."""
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for older in cache.glob("run-*"):
            shutil.rmtree(older)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=cache))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
