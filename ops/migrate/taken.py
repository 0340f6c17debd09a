"""Whether a target is taken: told before the source is read, and again when it is written."""

from ops.migrate.census.looking import listed_in
from ops.migrate.checkpoints import checkpoint_path
from ops.migrate.errors import TargetNotEmptyError
from shared.ids import WorkspaceName
from shared.settings import Settings


async def require_unlisted(settings: Settings, name: WorkspaceName) -> None:
    """Look whether a workspace lists documents, before much is read to be copied into it.

    Nothing is opened for it: a source that is damaged must be told before a table or folder is
    made for it.

    Raises:
        TargetNotEmptyError: it does, and no copy of this workspace is half done.
        UnavailableError: a server is away.
    """
    physical, documents = await listed_in(settings, name)
    is_begun = physical is not None and checkpoint_path(settings, physical).exists()
    if documents and not is_begun:
        raise taken(name)


def taken(name: WorkspaceName) -> TargetNotEmptyError:
    """Say that a workspace holds something, and the ways out."""
    return TargetNotEmptyError(
        f"The workspace {name} holds documents already; name another one, or say --replace, which "
        "deletes them first."
    )
