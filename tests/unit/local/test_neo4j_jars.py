"""What is said where Neo4j cannot be run, and where its files lie."""

from pathlib import Path

import pytest

from ops.local import neo4j_jars
from ops.local.errors import Neo4jMissingError
from shared.settings import user_cache_folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but a shell, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize("answer", [None, 'openjdk version "11.0.2"', 'java version "1.8.0_4"'])
def test_no_java_or_an_old_one_is_said_with_what_to_install(
    programs: Path, answer: str | None
) -> None:
    if answer:
        install(programs, "java", f"echo '{answer}' >&2")
    with pytest.raises(Neo4jMissingError, match=r"Java 17 or newer.*NEO4J_URI"):
        neo4j_jars.java_program()


def test_a_new_java_is_taken(programs: Path) -> None:
    install(programs, "java", "echo 'openjdk version \"21.0.1\"' >&2")
    assert neo4j_jars.java_program() == programs / "java"


def test_no_maven_is_said(programs: Path) -> None:
    with pytest.raises(Neo4jMissingError, match="mvn"):
        neo4j_jars.neo4j_jars()


def test_a_java_or_maven_that_hangs_is_said(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_jars, "_JAVA_TIMEOUT_S", 0.1)
    monkeypatch.setattr(neo4j_jars, "_FETCH_TIMEOUT_S", 0.1)
    for name in ("java", "mvn"):
        install(programs, name, "exec /bin/sleep 30")
    with pytest.raises(Neo4jMissingError, match=r"Java 17 or newer.*NEO4J_URI"):
        neo4j_jars.java_program()
    with pytest.raises(Neo4jMissingError, match="Maven could not fetch Neo4j"):
        neo4j_jars.neo4j_jars()
    assert not neo4j_jars.jars_are_here()


def test_a_download_that_failed_leaves_nothing_and_the_next_one_is_kept(programs: Path) -> None:
    half = 'for last; do :; done; /bin/mkdir -p "${last#*=}"'
    install(programs, "mvn", f"{half}; echo no route; exit 1")
    with pytest.raises(Neo4jMissingError, match="no route"):
        neo4j_jars.neo4j_jars()
    assert not neo4j_jars.jars_are_here()
    install(programs, "mvn", half)
    jars = neo4j_jars.neo4j_jars()
    assert jars.is_relative_to(user_cache_folder())
    (programs / "mvn").unlink()
    assert neo4j_jars.neo4j_jars() == jars  # fetched once
    assert {path.name for path in jars.parent.iterdir()} == {"jars", "lock"}
