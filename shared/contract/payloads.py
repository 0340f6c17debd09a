"""The messages themselves: small frozen values of ids; the ledger has everything else."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from shared.contract.names import TaskName
from shared.ids import TaskId, WorkspaceName


class Payload(BaseModel):
    """A message body; `name` says which task it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[TaskName]


class PrepareDocument(Payload):
    """Look at this task: its bytes may be waiting to be parsed and chunked."""

    name = TaskName.PREPARE
    task_id: TaskId
    request_id: str | None = None


class ExtractBatch(Payload):
    """Look at this batch of chunks: its entities may be waiting to be extracted."""

    name = TaskName.EXTRACT
    task_id: TaskId
    prepare_attempt: int
    batch_index: int


class CommitWorkspace(Payload):
    """Look at this workspace: tasks may be ready to be committed."""

    name = TaskName.COMMIT
    workspace: WorkspaceName


class Sweep(Payload):
    """Look for lost messages and expired leases."""

    name = TaskName.SWEEP


class Clean(Payload):
    """Look for old rows and for uploads that no row refers to."""

    name = TaskName.CLEAN


class BackUp(Payload):
    """Look for workspaces whose backup is due."""

    name = TaskName.BACK_UP
