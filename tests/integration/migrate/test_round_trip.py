"""A folder of stock LightRAG comes back as it was from servers, an archive and other servers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lightrag import LightRAG, QueryParam

from ops.migrate.folder.source import FolderSource
from ops.migrate.folder.target import FolderTarget
from ops.migrate.source import Source
from tests.integration.engine.shapes import files_variables, server_variables
from tests.integration.migrate.conftest import command, opened
from tests.integration.migrate.test_moving_a_folder import MODES, QUESTIONS, contexts, items_of
from tests.services import drop_database, make_database, run
from worker.commit.operations import Operation


class Nobody:
    def advance(self, operation: Operation) -> None:
        """Nobody looks."""


@pytest.fixture
def two_installations(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, fresh_valkey: str
) -> Iterator[list[dict[str, str]]]:
    """The settings of two installations: each has a database, a folder and shape of its own."""
    urls = [run(make_database(postgres_url)) for _ in range(2)]
    chosen = []
    for number, (shape, url) in enumerate(zip(request.param, urls, strict=True)):
        folder = tmp_path / f"installation{number}"
        # Nobody is killed here: the lease may last as long as by default.
        lease = {"TASK_LEASE_S": "20"}
        chosen.append(server_variables(shape, folder, url, fresh_valkey) | lease)
        if shape == "neo4j":
            server = request.getfixturevalue("neo4j_server")
            chosen[-1] |= {"NEO4J_URI": server.uri, "NEO4J_PASSWORD": server.password}
    yield chosen
    for url in urls:
        run(drop_database(postgres_url, url))


async def vectors_of(source: Source) -> dict[tuple[str, str], bytes]:
    return {
        (operation.storage, key): vector
        async for operation in source.operations()
        if operation.vectors
        for (key, _), vector in zip(operation.rows, operation.vectors, strict=True)
    }


async def all_contexts(rag: LightRAG) -> dict[tuple[str, str], Any]:
    """What a language model would be told in every mode that looks anything up."""
    hybrid = {
        (question, "hybrid"): await rag.aquery(
            question, QueryParam(mode="hybrid", only_need_context=True)
        )
        for question in QUESTIONS
    }
    return await contexts(rag) | hybrid


async def require_same(before: Path, after: Path) -> None:
    """Compare two working folders, item by item and by what is found for questions."""
    ours, theirs = (FolderSource.in_folder(folder, "") for folder in (after, before))
    assert await items_of(ours) == await items_of(theirs)
    assert await vectors_of(ours) == await vectors_of(theirs)
    found = []
    for folder in (before, after):
        async with opened(files_variables(folder.parent), "") as rag:
            found.append(await all_contexts(rag))
    assert found[0] == found[1]
    assert len(found[0]) == len(QUESTIONS) * (len(MODES) + 1)
    assert all(found[0].values())


async def test_a_folder_that_was_copied_answers_the_same(
    stock_folder: Path, tmp_path: Path
) -> None:
    source = FolderSource.in_folder(stock_folder, "")
    await FolderTarget(tmp_path / "rag").write(source, Nobody())

    await require_same(stock_folder, tmp_path / "rag")


@pytest.mark.long
@pytest.mark.parametrize(
    "two_installations", [("postgres", "valkey"), ("valkey", "neo4j")], indirect=True, ids="-".join
)
async def test_files_to_servers_to_an_archive_to_other_servers_to_files(
    stock_folder: Path, two_installations: list[dict[str, str]], tmp_path: Path
) -> None:
    one, two = two_installations
    archive, back = f"archive:{tmp_path / 'one.ragfleet'}", tmp_path / "back" / "rag"
    for variables, words in (
        (one, ("--from", f"folder:{stock_folder}", "--to", "settings", "-w", "one")),
        (one, ("--from", "settings", "--source-workspace", "one", "--to", archive)),
        (two, ("--from", archive, "--to", "settings", "-w", "two")),
        (two, ("--from", "settings", "--source-workspace", "two", "--to", f"folder:{back}")),
    ):
        done = await asyncio.to_thread(command(variables), "migrate", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    await require_same(stock_folder, back)
