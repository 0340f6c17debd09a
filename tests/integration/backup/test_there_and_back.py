"""A workspace that was lost comes back from its backup as it was."""

import asyncio
import errno
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lightrag import QueryParam

from ops.backup import places
from ops.backup.catalogue import backups_among, find_backup
from ops.backup.errors import BackupDiffersError, BackupPlaceUnavailableError
from ops.backup.making import Maker
from ops.backup.places import DirectoryBackupPlace
from ops.backup.restoring import restore
from ops.backup.running import back_up
from ops.migrate.errors import ArchiveDamagedError, TargetNotEmptyError
from shared.errors import WorkspaceNotFoundError
from shared.ids import WorkspaceName
from shared.settings import Settings
from tests.integration.backup.conftest import NOTES, TEXTS, working
from tests.integration.engine.contents import Contents, read_contents
from tests.integration.worker.fleet import Fleet

# What tests embed is near to nothing but itself.
QUESTION = TEXTS["curie"].strip()


FILES = pytest.mark.parametrize("shape", ["files"])


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def damage(folder: Path) -> None:
    """Turn a bit of the only archive."""
    [path] = folder.glob("*.ragfleet")
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)


async def looked_at(fleet: Fleet) -> tuple[Contents, dict[str, Any]]:
    """Everything the workspace holds, and what it answers."""
    workspace = await fleet.context.ledger.workspaces.get(NOTES)
    async with fleet.context.rags.use(workspace.physical) as rag:
        contents = await read_contents(rag, TEXTS)
        answers = {
            mode: await rag.aquery(QUESTION, QueryParam(mode=mode)) for mode in ("mix", "naive")
        }
    return contents, answers


async def restored(settings: Settings, place: DirectoryBackupPlace, workspace: str) -> None:
    found = find_backup(place, "latest", NOTES)
    await asyncio.to_thread(restore, found, place, WorkspaceName(workspace), settings)


@pytest.mark.parametrize(
    "shape",
    [
        "valkey",
        "files",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("postgres", "neo4j")),
    ],
)
async def test_a_deleted_workspace_comes_back(
    filled: dict[str, str], settings: Settings, place: DirectoryBackupPlace, folder: Path
) -> None:
    outcome = await back_up(settings, place, [NOTES])
    assert not outcome.failed
    [made] = outcome.made
    assert made.backup == find_backup(place, "latest", NOTES)
    receipt = json.loads(files_in(folder)[made.backup.receipt])
    assert sum(found["count"] for found in receipt["items"].values()) == made.items
    assert receipt["items"]["full_docs"]["count"] == len(TEXTS)
    assert 0 < made.paused_s <= made.took_s
    async with working(filled) as fleet:
        before = await looked_at(fleet)
        await fleet.context.ledger.workspaces.request_drop(NOTES)
        await fleet.commit()
        with pytest.raises(WorkspaceNotFoundError):
            await fleet.context.ledger.workspaces.get(NOTES)

    await restored(settings, place, NOTES)

    async with working(filled) as fleet:
        after = await looked_at(fleet)
        for name, value in asdict(before[0]).items():
            assert asdict(after[0])[name] == value, name
        assert after == before
        assert "Pierre Curie" in before[1]["mix"]
        listed = await fleet.context.ledger.documents.page(NOTES, cursor=None, limit=10)
        assert {one.doc_id for one in listed.rows} == set(TEXTS)
        # It goes on as any workspace does.
        await fleet.upload("curie", "Marie Curie taught in Paris. ")
        await fleet.run_until_quiet()
        contents, _ = await looked_at(fleet)
        assert "Pierre Curie" not in contents.nodes


@FILES
async def test_a_workspace_that_holds_something_is_left_alone(
    filled: dict[str, str], settings: Settings, place: DirectoryBackupPlace
) -> None:
    await back_up(settings, place, [])
    assert {one.workspace for one in backups_among(place.list())} >= {NOTES, "default"}
    with pytest.raises(TargetNotEmptyError):
        await restored(settings, place, NOTES)


@FILES
async def test_a_damaged_backup_fills_nothing(
    filled: dict[str, str], settings: Settings, place: DirectoryBackupPlace, folder: Path
) -> None:
    await back_up(settings, place, [NOTES])
    damage(folder)

    with pytest.raises(ArchiveDamagedError):
        await restored(settings, place, "back")
    async with working(filled) as fleet:
        with pytest.raises(WorkspaceNotFoundError):
            await fleet.context.ledger.workspaces.get(WorkspaceName("back"))


@FILES
async def test_a_full_disk_leaves_the_older_ones_and_nothing_half_and_others_are_backed_up(
    filled: dict[str, str],
    settings: Settings,
    place: DirectoryBackupPlace,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await Maker(settings, place, now=lambda: datetime(2026, 1, 1, tzinfo=UTC)).make(NOTES)
    before = files_in(folder)
    open_file = places._new_file
    # The disk is full while `notes` is written; the kernel's own device says so.
    monkeypatch.setattr(
        places,
        "_new_file",
        lambda path: os.open("/dev/full", os.O_WRONLY) if "notes" in path.name else open_file(path),
    )

    outcome = await back_up(settings, place, [NOTES, WorkspaceName("default")])

    assert [made.backup.workspace for made in outcome.made] == ["default"]
    assert list(outcome.failed) == [NOTES]
    assert isinstance(outcome.failed[NOTES], BackupPlaceUnavailableError)
    assert os.strerror(errno.ENOSPC) in outcome.failed[NOTES].detail
    left = files_in(folder)
    assert {name: left[name] for name in left if "default" not in name} == before


@FILES
async def test_what_cannot_be_read_back_does_not_count(
    filled: dict[str, str], settings: Settings, folder: Path
) -> None:
    class Forgetful(DirectoryBackupPlace):
        """A disk that loses a byte."""

        def reader(self, name: str) -> Any:
            path = folder / name
            path.write_bytes(path.read_bytes()[:-1])
            return super().reader(name)

    with pytest.raises(BackupDiffersError):
        await Maker(settings, Forgetful(folder), now=lambda: datetime.now(UTC)).make(NOTES)
    assert files_in(folder) == {}
