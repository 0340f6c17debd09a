"""What was uploaded, and what became of it, moves with the workspace."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from shared.ids import DocumentId, WorkspaceName
from shared.ledger.records import TaskState
from shared.objects.factory import open_objects
from tests.integration.engine.shapes import open_fleet
from tests.integration.migrate.conftest import Command
from tests.integration.worker.fleet import LARGE, Fleet
from tests.models import DIM

if TYPE_CHECKING:
    from shared.objects.memory import MemoryObjectStore

MOVED = WorkspaceName("taken_along")


@pytest.fixture(params=["files", "valkey"])
def variables(variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """With and without servers; the command has to look for the vectors of the tier's model."""
    models = {"PROVIDER": "ollama", "MODEL": "hash", "BASE_URL": "http://127.0.0.1:9/v1"}
    named = {f"EMBEDDING_{name}": value for name, value in models.items()}
    return variables | named | {"EMBEDDING_DIM": str(DIM)}


@pytest.fixture
async def fleet(variables: dict[str, str]) -> AsyncIterator[Fleet]:
    """Uploads are where the command looks for them."""
    async with open_fleet(variables) as opened:
        objects = open_objects(opened.context.settings)
        context = replace(opened.context, objects=objects)
        yield replace(opened, context=context, objects=cast("MemoryObjectStore", objects))


async def test_uploads_tasks_and_what_still_waits_move_and_are_read_back(
    fleet: Fleet, ragfleet: Command, tmp_path: Path
) -> None:
    done = await fleet.upload("done")
    failed = await fleet.upload("failed", text="")
    spoiled = await fleet.upload("spoiled", text="Ada Lovelace met Charles Babbage.")
    await fleet.run_until_quiet()
    async with fleet.objects.as_file(spoiled.object_key) as path:
        path.write_bytes(b"x" * spoiled.size_bytes)
    waiting = await fleet.upload("waiting", text=LARGE)
    assert await fleet.state(done) is TaskState.SUCCEEDED
    archive = f"archive:{tmp_path / 'all.ragfleet'}"

    out = ragfleet("migrate", "--from", "settings", "--to", archive, "-w", fleet.workspace)
    assert out.returncode == 0, out.stderr
    assert out.stderr.count(f"The upload {spoiled.object_key} is damaged") == 1
    into = ragfleet("migrate", "--from", archive, "--to", "settings", "-w", MOVED)
    assert into.returncode == 0, into.stderr

    ledger = fleet.context.ledger
    document = await ledger.documents.get(MOVED, DocumentId("done"))
    moved = await ledger.tasks.get(document.latest_task_id)
    assert (document.file_name, document.sha256) == ("done.txt", done.sha256)
    async with fleet.objects.as_file(moved.object_key) as path:
        assert "Apollo" in path.read_text()
    without_upload = await ledger.documents.get(MOVED, DocumentId("spoiled"))
    assert without_upload.latest_task_state is TaskState.SUCCEEDED
    assert (await ledger.tasks.get(without_upload.latest_task_id)).object_key is None
    gone = await ledger.documents.get(MOVED, DocumentId("failed"))
    assert gone.latest_task_state is (await fleet.task(failed)).state

    there = replace(fleet, workspace=MOVED)
    await there.run_until_quiet()
    arrived = await ledger.documents.get(MOVED, DocumentId("waiting"))
    assert (arrived.latest_task_state, arrived.sha256) == (TaskState.SUCCEEDED, waiting.sha256)

    await fleet.objects.delete([moved.object_key])
    again = ragfleet("migrate", "--from", archive, "--to", "settings", "-w", MOVED, "--verify-only")
    assert again.returncode == 1
    assert f"uploads {done.object_key}" in again.stdout
