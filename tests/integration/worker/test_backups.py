"""A worker that is told that backups are due has them made."""

from pathlib import Path

import pytest

from ops.backup.catalogue import backups_among
from ops.backup.places import DirectoryBackupPlace
from shared.contract.names import QueueName
from shared.contract.payloads import BackUp
from tests.integration.worker.processes import Stack


@pytest.mark.long
async def test_a_message_makes_the_backups_that_are_due_once(stack: Stack, tmp_path: Path) -> None:
    place = DirectoryBackupPlace(tmp_path / "backups")
    task = await stack.upload("doc")
    worker = await stack.worker(BACKUP_SCHEDULE="0 0 1 1 *")
    await stack.end([task])

    await stack.sender.send(BackUp())
    await worker.says('"event": "backup_made"')
    await stack.sender.send(BackUp())
    await stack.until(lambda: any(one.is_verified for one in backups_among(place.list())))

    command = worker.log.read_text()
    assert '"commits_paused_s"' in command
    assert await stack.sender.depth(QueueName.MAINTENANCE) == 0
    assert len(backups_among(place.list())) == 1
