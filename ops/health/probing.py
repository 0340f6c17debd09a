"""A small document all the way through: uploaded, in the graph, cited in an answer, removed."""

import asyncio
import secrets
import tempfile
from pathlib import Path
from typing import Any

from ops.client.api_client import ApiClient
from ops.client.failures import ApiProblemError, ServerNotReachableError
from ops.doctor.report import Finding, Reporter
from shared.ledger.records import FINAL_STATES

_PROBE = Reporter("health.probe")
# A fleet that is busy takes it in turn; one that needs longer keeps people waiting, too.
_WITHIN_S = 300.0
_LOOK_S = 0.5
_NAME = "health-probe.txt"
_TEXT = """\
The lighthouse of Probeton was built by the engineer Ada Fleetwood in 1931. Ada Fleetwood was born
in Probeton. Its lamp can be seen from the harbour of Testhaven.
"""
_QUESTION = "Who built the lighthouse of Probeton?"


class ProbeFailedError(Exception):
    """The document did not come through; the sentence says how far it came."""


async def let_through(address: str, *, key: str, within_s: float = _WITHIN_S) -> Finding:
    """Let a document through a workspace of its own, which is removed in any case.

    Args:
        address: of the API.
        key: what requests must carry.
        within_s: how long the document may take.
    """
    name = f"probe_{secrets.token_hex(6)}"
    try:
        async with ApiClient(address, key=key) as fleet:
            await fleet.create_workspace(name)
            try:
                async with ApiClient(address, key=key, workspace=name) as client:
                    return _PROBE.ok(await _through(client, within_s))
            finally:
                removal = await fleet.delete_workspace(name)
                await _ended(fleet, removal["task_id"], within_s, "The workspace of the probe")
    except (ProbeFailedError, ServerNotReachableError, ApiProblemError) as error:
        return _PROBE.error(f"{error} The workspace was {name}.")


async def _through(client: ApiClient, within_s: float) -> str:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    with tempfile.TemporaryDirectory() as folder:
        receipt = await client.insert(_written(Path(folder, _NAME)), doc_id="health-probe")
    await _ended(client, receipt["task_id"], within_s, "The document of the probe")
    ingested_s = loop.time() - began_s
    answer = await client.query(_QUESTION, mode="naive")
    if not any(one.get("file_path") == _NAME for one in answer.get("references") or ()):
        raise ProbeFailedError("The document is in, but the answer to a question does not cite it.")
    asked_s = loop.time() - began_s - ingested_s
    return f"A document was in after {ingested_s:.1f} s and cited {asked_s:.1f} s later."


def _written(path: Path) -> Path:
    path.write_text(_TEXT, encoding="utf-8")
    return path


async def _ended(client: ApiClient, task_id: str, within_s: float, what: str) -> None:
    task: dict[str, Any] = {"state": "unknown"}
    try:
        async with asyncio.timeout(within_s):
            while task["state"] not in FINAL_STATES:
                task = await client.task(task_id)
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        sentence = f"{what} is still {task['state']} after {within_s:.0f} s (task {task_id})."
        raise ProbeFailedError(sentence) from None
    if task["state"] != "succeeded":
        code = (task["error"] or {}).get("code", "no code")
        raise ProbeFailedError(f"{what}: its task {task_id} ended as {task['state']} ({code}).")
