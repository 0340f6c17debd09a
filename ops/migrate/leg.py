"""`python -m ops.migrate.leg REQUEST`: one migration of which an end has settings of its own.

REQUEST is JSON and names files only: what is in those, passwords too, stays out of command lines.
"""

import os
import sys

from pydantic import TypeAdapter

from ops.client.session import complaining
from ops.migrate.disks import full_disks_told
from ops.migrate.other_settings import settings_of
from ops.migrate.places import Place, PlaceKind
from ops.migrate.request import Request
from shared.logs import configure_logs
from shared.settings import load_settings

_REQUEST = TypeAdapter(Request)


def arguments(request: Request) -> list[str]:
    """Return the command line that carries a request out."""
    # -P: a folder `ops` where the settings lie must not be taken for ours.
    return [sys.executable, "-P", "-m", __name__, _REQUEST.dump_json(request).decode()]


def main() -> None:
    """Carry out the request, in the folder where this process was started."""
    from ops.migrate.running import run  # noqa: PLC0415 - slow, and `arguments` has no use for it

    os.umask(0o077)  # whatever is written holds the documents' texts
    request = _REQUEST.validate_json(sys.argv[1])
    with complaining():
        place = _installation(request)
        settings = settings_of(place) if place.has_own_settings else load_settings()
        configure_logs(level="critical", form=settings.log.format)
        with full_disks_told():
            run(request, settings)


def _installation(request: Request) -> Place:
    """Return the end that is an installation; a leg has no more than one."""
    is_source = request.source.kind is PlaceKind.SETTINGS
    return request.source if is_source else request.target


if __name__ == "__main__":
    # As a module of its own name, which `arguments` says to others.
    import typer

    try:
        main()
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
