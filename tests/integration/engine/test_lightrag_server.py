"""Stock `lightrag-server` works on what a drained fleet left, and the fleet on what it left."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.contract.names import TaskName
from shared.errors import DocumentNotFoundError
from shared.ledger.records import TaskState
from tests.integration.engine.contents import Contents
from tests.integration.engine.disturbed import states
from tests.integration.engine.shapes import another_workspace
from tests.integration.engine.steps import held, request_delete
from tests.integration.engine.stock_server import (
    StockServer,
    lightrag_server,
    require_lightrag_server,
)
from tests.integration.worker.fleet import Fleet
from tests.model_server import ModelServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]
Serve = Callable[[Fleet], AbstractAsyncContextManager[StockServer]]


class File(NamedTuple):
    """What somebody uploads."""

    name: str
    text: str


STAYS = File("stays.txt", "Marie Curie met Pierre Curie in Paris. Marie Curie worked in Paris.")
CHANGES = File("changes.txt", "Niels Bohr met Albert Einstein in Copenhagen.")
COPY = File("copy.txt", CHANGES.text)
GOES = File("goes.txt", "Albert Einstein met Marie Curie in Brussels. Ernest Solvay was there.")
CHANGED = File("changes.txt", "Niels Bohr founded an institute in Copenhagen with Margrethe Bohr.")
NEW = File("new.txt", "Albert Einstein met Niels Bohr in Brussels. Marie Curie met Niels Bohr.")
FOUR = {"stays": STAYS, "changes": CHANGES, "copy": COPY, "goes": GOES}


@pytest.fixture
def serve(stores: dict[str, str], tmp_path: Path) -> Iterator[Serve]:
    """Runs the server on the workspace of a fleet that has nothing to do."""
    require_lightrag_server()
    with ModelServer().running() as models:
        yield lambda fleet: lightrag_server(stores, fleet.workspace, models, tmp_path)


async def bring(fleet: Fleet, files: Mapping[str, File]) -> None:
    """Upload and commit files, by the ids of their documents."""
    for doc_id, file in files.items():
        await fleet.upload(doc_id, file.text, file_name=file.name)
        await fleet.deliver(only=TaskName.PREPARE)
    await fleet.run_until_quiet()
    assert await states(fleet) == {TaskState.SUCCEEDED}


async def remove(fleet: Fleet, doc_id: str) -> None:
    await request_delete(fleet, doc_id)
    await fleet.run_until_quiet()
    assert await states(fleet) == {TaskState.SUCCEEDED}


async def require_same_as_never_disturbed(fleet: Fleet, files: Mapping[str, File]) -> Contents:
    """Compare with a workspace of the fleet alone that has seen nothing but these files."""
    twin = await another_workspace(fleet)
    await bring(twin, files)
    found, expected = await held(fleet, files), await held(twin, files)
    for part, value in vars(expected.as_sets()).items():
        assert vars(found.as_sets())[part] == value, part
    return found


def descriptions(contents: Contents) -> str:
    return "\n".join(
        row["description"] for row in (*contents.nodes.values(), *contents.edges.values())
    )


async def test_it_lists_shows_and_answers_from_what_the_fleet_left(
    guest: Fleet, serve: Serve
) -> None:
    await bring(guest, FOUR)
    before = await held(guest, FOUR)
    async with serve(guest) as server:
        assert await server.documents() == dict.fromkeys(FOUR, "processed")
        assert set(await server.get("/graph/label/list")) == set(before.nodes)
        graph = await server.get("/graphs", label="Marie Curie", max_depth="1")
        neighbours = {name for pair in before.edges if "Marie Curie" in pair for name in pair}
        assert {node["id"] for node in graph["nodes"]} == neighbours
        assert STAYS.text in await server.context("Where did Marie Curie work?", "naive")
        for mode in ("local", "mix"):
            context = await server.context("Who is Ernest Solvay?", mode)
            assert "Ernest Solvay was there." in context, mode
            assert GOES.name in context, mode
    assert await held(guest, FOUR) == before


async def test_the_fleet_goes_on_after_it_deleted_and_inserted_documents(
    guest: Fleet, serve: Serve
) -> None:
    await bring(guest, FOUR)
    async with serve(guest) as server:
        for doc_id in ("changes", "goes"):
            await server.delete(doc_id)
        left = {"stays": STAYS, "copy": COPY}
        found = await require_same_as_never_disturbed(guest, left)
        assert "Brussels" not in descriptions(found)
        # One reply is behind both copies, and only one of them has gone.
        assert found.nodes["Niels Bohr"]["description"] == CHANGES.text
        again = await server.insert(*GOES)
        assert await server.documents() == dict.fromkeys((*left, again), "processed")
    await require_same_as_never_disturbed(guest, left | {again: GOES})

    await bring(guest, {"changes": CHANGED, "new": NEW})
    kept = left | {"changes": CHANGED, "new": NEW}
    await require_same_as_never_disturbed(guest, kept | {again: GOES})
    # The ledger has not heard of either: that the one is gone, and that the other is there.
    await bring(guest, {"goes": GOES})  # it was read before: nothing is to be done
    await require_same_as_never_disturbed(guest, kept | {again: GOES})
    await remove(guest, "goes")
    with pytest.raises(DocumentNotFoundError):
        await request_delete(guest, again)
    await require_same_as_never_disturbed(guest, kept | {again: GOES})
    # Uploads make both of them the fleet's.
    await bring(guest, {"goes": GOES, again: NEW})
    await require_same_as_never_disturbed(guest, kept | {"goes": GOES, again: NEW})
    await remove(guest, again)
    await require_same_as_never_disturbed(guest, kept | {"goes": GOES})


async def test_the_fleet_goes_on_in_a_workspace_that_it_filled_and_back(
    guest: Fleet, serve: Serve
) -> None:
    async with serve(guest) as server:
        theirs = {await server.insert(*file): file for file in (STAYS, CHANGES, GOES)}
    await require_same_as_never_disturbed(guest, theirs)
    stays, changes, goes = theirs
    await bring(guest, {"new": NEW, changes: CHANGED})
    await require_same_as_never_disturbed(
        guest, {stays: STAYS, goes: GOES, "new": NEW, changes: CHANGED}
    )
    await bring(guest, {goes: GOES})  # as it is, so that the ledger knows it
    await remove(guest, goes)
    rest = {stays: STAYS, "new": NEW, changes: CHANGED}
    found = await require_same_as_never_disturbed(guest, rest)
    assert "Marie Curie in Brussels" not in descriptions(found)
    async with serve(guest) as server:
        assert await server.documents() == dict.fromkeys(rest, "processed")
        await server.delete("new")
        del rest["new"]
    await require_same_as_never_disturbed(guest, rest)
