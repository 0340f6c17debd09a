"""Backups that are due are made by the command of that name, in a process of its own.

What copies workspaces stands above the tiers, and LightRAG's state belongs to a process: a backup
that opens and closes workspaces must not share one with the stages. The message is a hint, as all
are: the command looks for itself what is due.
"""

import asyncio
import signal
import sys

from shared.contract.payloads import BackUp
from shared.logs import get_logger
from worker.context import WorkerContext

_log = get_logger(__name__)

# -P: a folder `ops` of the person's own must not be taken for ours.
_COMMAND = (sys.executable, "-P", "-m", "ops.cli", "backup", "due")
# A half file is removed and the commit lease given back in less; otherwise the lease expires.
_STOP_S = 4.0


async def back_up(
    message: BackUp, context: WorkerContext, *, command: tuple[str, ...] = _COMMAND
) -> None:
    """Run the command to its end, or stop it when this process is stopped."""
    del message
    if context.one_backup.locked():
        return  # what is due then is due at the next message, too; none may wait in a thread
    async with context.one_backup:
        exit_code = await _run(command)
    if exit_code:  # the command's own lines above say what is missing
        _log.error("backups_incomplete", exit_code=exit_code)


async def _run(command: tuple[str, ...]) -> int:
    # It has this process's environment, so it means the same stores, and writes into its log.
    child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            await _stop(child)


async def _stop(child: asyncio.subprocess.Process) -> None:
    child.send_signal(signal.SIGINT)  # which Python turns into an exception that cleans up
    try:
        async with asyncio.timeout(_STOP_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
