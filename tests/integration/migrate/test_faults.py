"""Whatever goes wrong is one sentence with a code, and the source is as it was."""

import asyncio
import hashlib
import json
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from ops.local.ports import free_port
from shared.connections import ledger_url
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.here import Done, Here, command_here

ON_VALKEY = pytest.mark.parametrize("variables", ["valkey"], indirect=True)
NOBODY = 65534


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(autouse=True)
def source_stays(stock_folder: Path) -> Iterator[None]:
    """Look after each test whether a byte of the source has changed."""
    before = digests(stock_folder)
    yield
    assert digests(stock_folder) == before


@pytest.fixture
def files(tmp_path: Path) -> Here:
    """An installation in files."""
    return command_here(files_variables(tmp_path / "data"))


def refused(done: Done, code: str, *, exit_code: int = 1) -> str:
    """The one sentence with which it ended."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"{code}: "), done.stderr
    return done.stderr


def into(folder: Path) -> tuple[str, ...]:
    return ("migrate", "--from", f"folder:{folder}", "--to", "settings", "-w", "notes")


def copied(folder: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy"
    shutil.copytree(folder, target)
    return target


@pytest.mark.parametrize(
    ("file", "change", "code"),
    [
        ("kv_store_text_chunks.json", (b'"content"', b'"conte'), "source_unreadable"),
        ("kv_store_full_docs.json", (b"Armstrong", b"Arm\\u0000trong"), "unstorable_text"),
        ("kv_store_full_docs.json", (b"Armstrong", b"Arm\\ud800trong"), "unstorable_text"),
        ("graph_chunk_entity_relation.graphml", (b"</node>", b"</nod>"), "source_unreadable"),
        ("vdb_entities.json", (b'"matrix": "', b'"matrix": "A'), "source_unreadable"),
    ],
)
def test_a_damaged_folder_is_told_by_its_file_before_anything_is_written(
    stock_folder: Path, tmp_path: Path, file: str, change: tuple[bytes, bytes], code: str
) -> None:
    data, folder = tmp_path / "data", copied(stock_folder, tmp_path)
    content = (folder / file).read_bytes()
    assert change[0] in content
    (folder / file).write_bytes(content.replace(*change, 1))
    ragfleet = command_here(files_variables(data))

    for more in ((), ("--dry-run",)):
        sentence = refused(ragfleet(*into(folder), *more), code)
        assert file in sentence or "of full_docs" in sentence
    assert not data.exists()


@ON_VALKEY
async def test_a_damaged_folder_leaves_a_database_as_it_was(
    stock_folder: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    folder = copied(stock_folder, tmp_path)
    graph = folder / "graph_chunk_entity_relation.graphml"
    graph.write_bytes(graph.read_bytes().replace(b"</node>", b"</nod>", 1))

    done = await asyncio.to_thread(command_here(variables), *into(folder))
    refused(done, "source_unreadable")
    engine = create_async_engine(ledger_url(load_settings(None, overrides=variables)))
    async with engine.connect() as connection:
        tables = (
            await connection.execute(text("SELECT 1 FROM pg_tables WHERE schemaname = 'public'"))
        ).all()
    await engine.dispose()
    assert not tables


def test_a_place_of_the_wrong_kind_is_told(stock_folder: Path, tmp_path: Path, files: Here) -> None:
    archive = tmp_path / "a.ragfleet"
    out = ("migrate", "--from", f"folder:{stock_folder}", "--to")

    said = files("migrate", "--from", f"archive:{stock_folder}", "--to", "settings")
    assert "Is a directory" in refused(said, "source_not_found")
    assert files(*out, f"archive:{archive}").returncode == 0
    said = files("migrate", "--from", f"folder:{archive}", "--to", "settings")
    assert "is a file" in refused(said, "source_not_found")
    said = files(*out, f"archive:{tmp_path}/nowhere/a")
    assert "There is no folder" in refused(said, "target_unwritable")


@contextmanager
def as_nobody() -> Iterator[None]:
    """The superuser may read everything, so somebody else tries."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("hidden", ["", "kv_store_full_docs.json"])
def test_what_may_not_be_read_is_told(stock_folder: Path, open_folder: Path, hidden: str) -> None:
    folder = copied(stock_folder, open_folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    (folder / hidden).chmod(0)
    open_folder.chmod(0o777)
    ragfleet = command_here(files_variables(open_folder / "data"))

    with as_nobody():
        done = ragfleet(*into(folder))
    assert "Permission denied" in refused(done, "source_unreadable")
    assert not (open_folder / "data").exists()


@contextmanager
def files_end_at(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_archive_that_does_not_fit_leaves_nothing(
    stock_folder: Path, tmp_path: Path, files: Here
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ("migrate", "--from", f"folder:{stock_folder}", "--to", f"archive:{folder}/a")

    with files_end_at(10_000):
        refused(files(*words), "target_full")
    assert list(folder.iterdir()) == []
    assert files(*words).returncode == 0


@pytest.mark.parametrize("size_bytes", [1000, 900_000])
def test_files_that_do_not_fit_are_copied_when_they_do(
    stock_folder: Path, tmp_path: Path, files: Here, size_bytes: int
) -> None:
    """The smaller size stops SQLite, the larger one LightRAG's files."""
    folder = copied(stock_folder, tmp_path)
    texts = folder / "kv_store_full_docs.json"
    rows = json.loads(texts.read_text())
    texts.write_text(json.dumps({**rows, "long": {"content": "long " * 200_000}}))

    with files_end_at(size_bytes):
        refused(files(*into(folder)), "target_full")
    done = files(*into(folder))
    assert done.returncode == 0, done.stderr


@ON_VALKEY
@pytest.mark.parametrize(
    ("wrong", "code", "exit_code", "words"),
    [
        ({"POSTGRES_PASSWORD": "wrong"}, "ledger_refused", 1, "POSTGRES_USER"),
        ({"REDIS_PASSWORD": "wrong"}, "store_refused", 1, "REDIS_PASSWORD"),
        ({"POSTGRES_PORT": "closed"}, "ledger_unavailable", 1, "not reachable"),
        ({"REDIS_PORT": "closed"}, "store_unavailable", 1, "Redis is not reachable"),
    ],
)
def test_servers_that_are_away_or_closed_are_named_and_the_same_command_goes_on(
    stock_folder: Path,
    variables: dict[str, str],
    wrong: dict[str, str],
    code: str,
    exit_code: int,
    words: str,
) -> None:
    port = str(free_port())
    wrong = {name: port if value == "closed" else value for name, value in wrong.items()}
    ragfleet = command_here({**variables, **wrong})

    for more in ((), ("--dry-run",)):
        sentence = refused(ragfleet(*into(stock_folder), *more), code, exit_code=exit_code)
        assert words in sentence
        assert "wrong" not in sentence
    assert command_here(variables)(*into(stock_folder)).returncode == 0
