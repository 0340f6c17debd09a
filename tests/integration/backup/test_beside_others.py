"""Backups while documents are committed, and while somebody else makes the same backups."""

import asyncio
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ops.backup.catalogue import backups_among
from ops.backup.places import DirectoryBackupPlace
from ops.migrate.archive_places import ArchiveFile
from ops.migrate.source import ArchiveSource
from ops.migrate.tally import section_of
from tests.integration.backup.conftest import TEXTS, working
from tests.integration.engine.steps import committed

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

PROJECT = Path(__file__).parents[3]


async def started(variables: Mapping[str, str], *words: str) -> asyncio.subprocess.Process:
    """Type a command."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops.cli", *words),
        cwd=PROJECT,
        env={"PATH": os.defpath, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def rows_in(path: Path) -> dict[str, dict[str, Any]]:
    """What an archive holds, by section and name."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    async for operation in ArchiveSource(ArchiveFile(path)).operations():
        for *names, row in operation.rows:
            found[section_of(operation)][" – ".join(sorted(names))] = row
    return found


def expect_whole(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Everything that one row names is there, and nothing of a document that is not."""
    documents = rows["doc_status"]
    chunks = {chunk for row in documents.values() for chunk in row["chunks_list"]}
    assert set(rows["full_docs"]) == set(documents)
    assert set(rows["text_chunks"]) == set(rows["chunks_vdb"]) == chunks
    named = {name for row in rows["full_entities"].values() for name in row["entity_names"]}
    assert set(rows["entities"]) == named
    assert {row["entity_name"] for row in rows["entities_vdb"].values()} == named
    pairs = {
        " – ".join(sorted(pair))
        for row in rows["full_relations"].values()
        for pair in row["relation_pairs"]
    }
    assert set(rows["relations"]) == pairs
    for row in (*rows["entities"].values(), *rows["relations"].values()):
        assert set(row["source_id"].split("<SEP>")) <= chunks


@pytest.mark.parametrize("shape", ["valkey", pytest.param("neo4j", marks=pytest.mark.long)])
async def test_a_backup_while_documents_are_committed_is_whole(
    filled: dict[str, str], place: DirectoryBackupPlace, folder: Path
) -> None:
    async with working(filled) as fleet:
        command = await started(filled, "backup", "-w", "notes", "--to", str(folder))
        number = 0
        for number in count():
            text = f"Person{number} Smith met Marie Curie in Paris. Marie Curie met Ann Lee. "
            await committed(fleet, {f"doc{number}": text})
            if command.returncode is not None:
                break
        said, _ = await command.communicate()
        assert command.returncode == 0, said.decode()
        await fleet.commit()
        page = await fleet.context.ledger.documents.page(fleet.workspace, cursor=None, limit=1000)
        assert len(page.rows) == len(TEXTS) + number + 1  # commits waited; none was lost

    [backup] = backups_among(place.list())
    rows = await rows_in(folder / backup.name)
    expect_whole(rows)
    assert len(TEXTS) < len(rows["doc_status"]) < len(page.rows)


async def test_two_who_are_told_the_same_make_one_backup(
    filled: dict[str, str], place: DirectoryBackupPlace, folder: Path
) -> None:
    yearly = {**filled, "BACKUP_TO": str(folder), "BACKUP_SCHEDULE": "0 0 1 1 *"}
    commands = [await started(yearly, "backup", "due") for _ in range(2)]
    said = b"".join([(await command.communicate())[0] for command in commands]).decode()
    assert [command.returncode for command in commands] == [0, 0], said

    made = Counter(backup.workspace for backup in backups_among(place.list()))
    assert set(made.values()) == {1}
    assert "notes" in made
    assert said.count("backup_made") == len(made)
