"""Move a stock LightRAG folder into the stores that the settings name: `ragfleet migrate`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))

from ops.migrate.command import migrate
from ops.migrate.options import (
    ExecuteOption,
    ReplaceOption,
    SourceWorkspaceOption,
    TargetWorkspaceOption,
    YesOption,
)


def main(
    source_dir: Annotated[
        Path, typer.Option("--source-dir", help="LightRAG's working folder.")
    ] = Path("rag_storage"),
    source_workspace: SourceWorkspaceOption = "",
    workspace: TargetWorkspaceOption = "",
    *,
    execute: ExecuteOption = False,
    replace: ReplaceOption = False,
    yes: YesOption = False,
) -> None:
    """Look at a folder (`--dry-run`), or copy it (`--execute`) and read everything back."""
    migrate(
        f"folder:{source_dir}",
        "settings",
        source_workspace,
        workspace,
        dry_run=not execute,
        replace=replace,
        yes=yes,
    )


if __name__ == "__main__":
    typer.run(main)
