"""Identifiers: what they are called, what they may look like, how new ones are made."""

import hashlib
import re
import secrets
import time
from typing import NewType

from shared.errors import (
    InvalidDocumentIdError,
    InvalidWorkspaceNameError,
    TaskNotFoundError,
)

WorkspaceName = NewType("WorkspaceName", str)
"""What people call a workspace."""
PhysicalWorkspace = NewType("PhysicalWorkspace", str)
"""The name under which LightRAG keeps one generation of a workspace in its stores."""
DocumentId = NewType("DocumentId", str)
TaskId = NewType("TaskId", str)
ObjectKey = NewType("ObjectKey", str)

DEFAULT_WORKSPACE = WorkspaceName("default")
# Hyphens, capitals and Chinese collide in Neo4j's index names, hence the narrow alphabet.
_WORKSPACE = re.compile(r"[a-z0-9_]{1,40}")
_GENERATION_SUFFIX = re.compile(r"__g[0-9]+$")
# Chunk ids are `{doc_id}-chunk-000`; LightRAG's id columns hold 255 characters.
_DOCUMENT = re.compile(r"\w[\w.:@+\-]{0,127}")
# Wider than ours are: it only keeps away what a database cannot even look for, such as NUL.
_TASK = re.compile(r"[\x21-\x7e]{1,64}")


def new_task_id() -> TaskId:
    """Make a task id that sorts by creation time: milliseconds, then 40 random bits, in hex."""
    return TaskId(f"task-{_ordered_hex()}")


def new_document_id() -> DocumentId:
    """Make a document id for an upload that brought none."""
    return DocumentId(f"doc-{_ordered_hex()}")


def document_id_for_key(workspace: WorkspaceName, idempotency_key: str) -> DocumentId:
    """Make the document id of an upload that brought a key instead: the same at every repetition.

    A new one each time would make the repeated upload look like another one under the same key.
    """
    digest = hashlib.sha256(f"{workspace}/{idempotency_key}".encode()).hexdigest()
    return DocumentId(f"doc-{digest[:32]}")


def new_object_key(workspace: WorkspaceName) -> ObjectKey:
    """Make the key of one upload; it says nothing about the file's name or content."""
    return ObjectKey(f"uploads/{workspace}/{_ordered_hex()}")


def parse_workspace_name(text: str) -> WorkspaceName:
    """Check a workspace name.

    Raises:
        InvalidWorkspaceNameError: the text is not one.
    """
    if not _WORKSPACE.fullmatch(text) or _GENERATION_SUFFIX.search(text):
        raise InvalidWorkspaceNameError
    return WorkspaceName(text)


def parse_document_id(text: str) -> DocumentId:
    """Check a document id.

    Raises:
        InvalidDocumentIdError: the text is not one.
    """
    if not _DOCUMENT.fullmatch(text):
        raise InvalidDocumentIdError
    return DocumentId(text)


def parse_task_id(text: str) -> TaskId:
    """Check what should be a task id.

    Raises:
        TaskNotFoundError: no task was ever called like this.
    """
    if not _TASK.fullmatch(text):
        raise TaskNotFoundError
    return TaskId(text)


def physical_workspace(name: WorkspaceName, *, generation: int) -> PhysicalWorkspace:
    """Name one generation of a workspace; the first has the plain name, as stock LightRAG would."""
    return PhysicalWorkspace(name if generation == 1 else f"{name}__g{generation}")


def workspace_of(physical: PhysicalWorkspace) -> WorkspaceName:
    """Say what people call the workspace that a physical name is one generation of."""
    return WorkspaceName(_GENERATION_SUFFIX.sub("", physical))


def _ordered_hex() -> str:
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(5)}"
