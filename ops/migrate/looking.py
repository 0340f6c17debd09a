"""Reads a source once before anything is written, so that damage is known by then."""

from ops.client.session import output
from ops.migrate.completeness import require_whole
from ops.migrate.places import Place
from ops.migrate.room import ArchiveSize
from ops.migrate.showing import table_of
from ops.migrate.source import Source
from ops.migrate.tally import Sum, Tally
from ops.migrate.texts import checked


async def look(place: Place, source: Source, size: ArchiveSize | None = None) -> dict[str, Sum]:
    """Count what is in a source, and tell it.

    Args:
        place: what it is called.
        source: what is there.
        size: told of everything, where it is to be known how large an archive becomes.

    Raises:
        SourceUnreadableError: it is damaged.
        SourceIncompleteError: a part of it is missing.
        UnstorableTextError: it holds what no store takes.
    """
    tally = Tally()
    async for operation in checked(source):
        tally.add(operation)
        if size is not None:
            size.add(operation)
    async for item in source.history():
        tally.add_history(item)
        if size is not None:
            size.add_history(item)
    sums = tally.sums()
    output.print(f"In {place}:", markup=False)
    output.print(table_of(sums))
    require_whole(place, {section: found.count for section, found in sums.items()})
    return sums
