"""One migration, whatever its ends are."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ops.migrate.errors import PlaceError, SourceNotFoundError
from ops.migrate.installation import Installation, keeps_files, with_workspace
from ops.migrate.into_files import into_files, require_free
from ops.migrate.into_stores import into_stores
from ops.migrate.live.telling import seen
from ops.migrate.places import Place, PlaceKind
from ops.migrate.planning import plan_from_files, plan_from_stores
from ops.migrate.request import Request
from ops.migrate.source import open_file
from ops.settings_in_use import settings_in_use
from shared.errors import WorkspaceNotFoundError
from shared.ids import WorkspaceName, parse_workspace_name
from shared.settings import Settings


def run(request: Request, settings: Settings) -> None:
    """Carry a request out and tell how it goes.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    if PlaceKind.SETTINGS in {request.source.kind, request.target.kind}:
        settings = settings_in_use(settings)
    if request.target.kind is not PlaceKind.SETTINGS:
        if request.is_replacing:
            raise PlaceError("--replace is about a workspace of `settings`; name another file.")
        if request.is_re_embedding:
            sentence = (
                "--re-embed is about an installation's model; files take vectors as they are."
            )
            raise PlaceError(sentence)
        if not request.dry_run and not request.verify_only:
            require_free(request, settings)
    match request.source.kind, request.target.kind:
        case PlaceKind.SETTINGS, PlaceKind.SETTINGS:
            sentence = "Source and target are the same; name the other one's `settings:FILE`."
            raise PlaceError(sentence)
        case PlaceKind.SETTINGS, _:
            asyncio.run(_out_of_stores(request, settings))
        case _, PlaceKind.SETTINGS:
            source = open_file(request.source, request.source_workspace, settings)
            into_stores(request, source, settings)
        case _:
            asyncio.run(_out_of_files(request, settings))


def _target_of(request: Request) -> Place:
    """Return where files go: a workspace with a name has a folder in the working folder."""
    if request.target.kind is PlaceKind.FOLDER:
        return replace(request.target, path=request.target.path / request.folder_workspace)
    return request.target


async def _out_of_files(request: Request, settings: Settings) -> None:
    source = open_file(request.source, request.source_workspace, settings)
    if request.dry_run:
        await plan_from_files(source, _target_of(request), settings)
        return
    await into_files(request, source, settings)


async def _out_of_stores(request: Request, settings: Settings) -> None:
    name = parse_workspace_name(request.source_workspace or request.workspace)
    if request.dry_run:
        await plan_from_stores(name, _target_of(request), settings)
        return
    with _source_named(name):
        await _copy_out(request, name, settings)


@contextmanager
def _source_named(name: WorkspaceName) -> Iterator[None]:
    """Nobody who wants to copy a workspace is helped by being told how to make one."""
    try:
        yield
    except WorkspaceNotFoundError:
        sentence = f"These stores hold no workspace {name}; correct --from or --source-workspace."
        raise SourceNotFoundError(sentence) from None


async def _copy_out(request: Request, name: WorkspaceName, settings: Settings) -> None:

    async def copy(installation: Installation) -> None:
        await into_files(request, installation.as_source(), settings)

    if keeps_files(settings):
        await with_workspace(settings, name, copy, is_made=False)
        return
    async with seen(settings, name) as source:
        await into_files(request, source, settings)
