"""The options of commands that move data, each said once."""

from pathlib import Path
from typing import Annotated

import typer

FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        help="`folder:DIR` (LightRAG's), `archive:FILE`, `archive:s3://BUCKET/KEY`, `settings`, or "
        "`settings:FILE`, the stores that another `.env` file names.",
    ),
]
ToOption = Annotated[
    str,
    typer.Option(
        "--to",
        help="`settings` (this installation's stores), `settings:FILE`, `archive:FILE`, "
        "`archive:s3://BUCKET/KEY` or `folder:DIR`.",
    ),
]
SourceWorkspaceOption = Annotated[
    str,
    typer.Option(
        "--source-workspace",
        help="Which one of a folder (left out: the one without a name) or of `settings`.",
    ),
]
TargetWorkspaceOption = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        help="What it is called in the target; left out: `default`, or a folder's without a name.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be copied; write nothing.")
]
ExecuteOption = Annotated[
    bool, typer.Option("--execute/--dry-run", help="Copy, or say what would be copied.")
]
VerifyOnlyOption = Annotated[
    bool, typer.Option("--verify-only", help="Compare the target with the source.")
]
ArchiveDirOption = Annotated[
    Path | None,
    typer.Option(
        "--archive-dir",
        help="Where the archive between two installations lies meanwhile; "
        "default: `migrations` in the target's DATA_DIR.",
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Delete first what the target workspace holds.")
]
ReEmbedOption = Annotated[
    bool,
    typer.Option(
        "--re-embed",
        help="Make all vectors anew with this installation's model; what it costs is said first.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether that is meant.")]
