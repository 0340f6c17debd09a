"""What a person asked a migration to do."""

from dataclasses import dataclass

from ops.migrate.places import Place
from shared.ids import WorkspaceName


@dataclass(frozen=True)
class Request:
    """One migration; it is handed on to child processes as JSON, so fields are plain values."""

    source: Place
    source_workspace: str
    target: Place
    workspace: WorkspaceName
    dry_run: bool
    verify_only: bool
    folder_workspace: str = ""
    """What `workspace` is called in a folder, where it may have no name."""
    is_replacing: bool = False
    """What is in the target workspace is deleted first."""
    is_re_embedding: bool = False
    """Vectors are made anew by the target's model."""
    is_confirmed: bool = False
    """Nobody is asked whether that is meant."""
