"""The command `ragfleet`: which subcommands there are."""

from importlib.metadata import version
from typing import Annotated

import typer

from ops.backup import command as backups
from ops.client import documents, tasks, workspaces
from ops.client.insert import insert
from ops.client.query import query
from ops.client.usage import usage
from ops.demo import demo
from ops.doctor.command import doctor
from ops.health.command import health
from ops.init_env import init_env
from ops.migrate.command import migrate
from ops.servers import init, repair
from ops.system import up

app = typer.Typer(
    name="ragfleet",
    help="LightRAG for teams: documents in, a knowledge graph, answers with their sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its traces show the values of variables: secrets, texts
)
app.command()(demo)
app.command()(doctor)
app.command()(health)
app.command()(init)
app.command("init-env")(init_env)
app.command()(insert)
app.command()(migrate)
app.command()(query)
app.command()(backups.restore)
app.command()(up)
app.command()(usage)
app.add_typer(backups.app, name="backup")
app.add_typer(tasks.app, name="tasks")
app.add_typer(documents.app, name="documents")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(repair, name="repair")


def main() -> None:
    """Run the command line; the process's exit code says how it went."""
    app()


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if value:
        typer.echo(f"ragfleet {version('lightrag-fleet')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
