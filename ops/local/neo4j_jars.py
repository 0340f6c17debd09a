"""Neo4j's own program files: fetched once from Maven's repository into the user's cache."""

import fcntl
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ops.local.errors import Neo4jMissingError
from shared.settings import inherited_environment, user_cache_folder

VERSION = "5.26.30"
"""The long-term line; Neo4j Community is GPLv3: fetched by its user and run as it is."""

_OLDEST_JAVA = 17
_JAVA_TIMEOUT_S = 30  # it takes a tenth of a second
_FETCH_TIMEOUT_S = 1800  # 123 MB over a slow line
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>server</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId>
      <version>{version}</version></dependency>
    <dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId>
      <version>{version}</version></dependency>
  </dependencies>
</project>
"""


def java_program() -> Path:
    """Find the Java that runs Neo4j.

    Raises:
        Neo4jMissingError: there is none, or it is too old.
    """
    program = shutil.which("java")
    if program is None:
        raise Neo4jMissingError(_sentence("no java is on PATH"))
    try:
        shown = subprocess.run(  # noqa: S603 - a fixed question to the Java of the user's choice
            [program, "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_JAVA_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise Neo4jMissingError(_sentence(f"{program} does not answer")) from None
    version = re.search(r'version "(\d+)', shown.stderr)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        raise Neo4jMissingError(_sentence(f"{program} is older or does not run"))
    return Path(program)


def jars_are_here() -> bool:
    """Whether nothing has to be fetched."""
    return _jars().is_dir()


def neo4j_jars() -> Path:
    """Return the folder of the jars, fetching them first where they are missing. Blocks.

    Raises:
        Neo4jMissingError: they are missing and cannot be fetched.
    """
    jars = _jars()
    if not jars.is_dir():
        jars.parent.mkdir(parents=True, exist_ok=True)
        with jars.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two downloads would only share the line
            if not jars.is_dir():
                _fetch(jars)
    return jars


def _jars() -> Path:
    return user_cache_folder() / "lightrag-fleet" / "neo4j" / VERSION / "jars"


def _fetch(jars: Path) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise Neo4jMissingError(_sentence("mvn, which fetches its files once, is not on PATH"))
    with tempfile.TemporaryDirectory(dir=jars.parent) as folder:
        project, unfinished = Path(folder, "pom.xml"), Path(folder, "jars")
        project.write_text(_POM.format(version=VERSION))
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                [program, "-B", "-q", "-f", str(project), *goal, f"-DoutputDirectory={unfinished}"],
                env=inherited_environment(),  # the user's Maven settings, proxies and JAVA_HOME
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=_FETCH_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            minutes = _FETCH_TIMEOUT_S // 60
            sentence = f"Maven could not fetch Neo4j within {minutes} minutes; try again."
            raise Neo4jMissingError(sentence) from None
        if done.returncode != 0 or not unfinished.is_dir():
            raise Neo4jMissingError(f"Maven could not fetch Neo4j: {done.stdout.strip()[-500:]}")
        unfinished.rename(jars)  # in one step: half a download is never taken for Neo4j


def _sentence(reason: str) -> str:
    return (
        f"Neo4j {VERSION} needs Java {_OLDEST_JAVA} or newer and, the first time, Maven; {reason}. "
        "Install them (Debian: openjdk-17-jre-headless, maven), or name a server in NEO4J_URI."
    )
