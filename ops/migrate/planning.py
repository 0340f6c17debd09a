"""What a migration would do: looked at, counted and estimated, and nothing written."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from ops.client.session import output
from ops.migrate.census.looking import look_at
from ops.migrate.census.record import Amount, Census, Names
from ops.migrate.census.sizes import Sizes
from ops.migrate.completeness import require_whole
from ops.migrate.errors import SourceNotFoundError
from ops.migrate.folder.layout import files_in
from ops.migrate.folder.source import FolderSource
from ops.migrate.places import Place, PlaceKind
from ops.migrate.source import Source
from ops.migrate.texts import checked
from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.rag.models import embedding_name
from shared.settings import Settings

_GRAPH = frozenset({"entities", "relations"})
_SHOWN = 5


@dataclass(frozen=True)
class _Costs:
    """What a kind of target takes: items a second, written and compared, and bytes a byte."""

    rows_a_s: float
    graph_a_s: float
    vectors_a_s: float
    row_growth: float
    vector_growth: float

    def rate(self, section: str) -> float:
        if section.endswith("_vdb"):
            return self.vectors_a_s
        return self.graph_a_s if section in _GRAPH else self.rows_a_s


# What two busy cores did, with 384 numbers a vector. Rows are compressed in an archive, vectors
# are not; files hold vectors as base64, twice; servers keep indexes and logs beside them.
_ARCHIVE = _Costs(15_000, 15_000, 15_000, 0.4, 1.0)
_FILES = _Costs(5000, 5000, 3000, 1.1, 2.0)
_SERVERS = _Costs(2500, 2000, 500, 2.0, 3.0)


async def plan_from_files(
    source: Source, target: Place | WorkspaceName, settings: Settings
) -> None:
    """Tell what would be copied out of files, how long it may take, and what is in its way.

    Args:
        source: a folder or an archive; it is read to its end, so damage shows.
        target: where an archive or a folder goes, or a workspace of the installation.
        settings: of the installation.

    Raises:
        SourceUnreadableError: the source is damaged.
        SourceIncompleteError: a part of it is missing.
        UnavailableError: a server is away.
    """
    sizes = Sizes()
    async for operation in checked(source):
        sizes.add(operation)
    amounts = {section: Amount(*amount) for section, amount in sizes.amounts.items()}
    await _tell(amounts, sizes.names, target, settings)
    if isinstance(source, FolderSource) and not isinstance(target, Place):
        output.print(
            "A folder does not say which model made its vectors: they are taken for those of "
            f"{embedding_name(settings)}.",
            highlight=False,
        )
    require_whole("The source", {section: amount.count for section, amount in amounts.items()})


async def plan_from_stores(name: WorkspaceName, target: Place, settings: Settings) -> None:
    """Tell the same of a workspace of the installation: it is counted where it lies.

    Raises:
        SourceNotFoundError: there is no such workspace.
        UnavailableError: a server is away.
    """
    census = await look_at(settings, name)
    if census.physical is None:
        raise SourceNotFoundError(f"These stores hold no workspace {name}; correct --from.")
    await _tell(census.amounts, Names(), target, settings)


async def _tell(
    amounts: Mapping[str, Amount], names: Names, target: Place | WorkspaceName, settings: Settings
) -> None:
    census = None if isinstance(target, Place) else await look_at(settings, target, names)
    output.print(_table(amounts, census))
    rows, vectors = _bytes(amounts)
    costs = _costs(target, settings)
    output.print(
        "Estimate, from rates of a machine with two cores: "
        f"{_duration(_seconds(costs, amounts))} to copy and compare; "
        f"about {_size(_disk_bytes(costs, rows, vectors))} of disk in the target."
    )
    is_free = True
    if isinstance(target, Place):
        is_free = _tell_about_file(target)
    elif census is not None:
        is_free = _tell_about_workspace(target, census)
    next_step = "; leave --dry-run out to copy it" if is_free else ""
    output.print(f"Nothing was written{next_step}.")


def _table(amounts: Mapping[str, Amount], census: Census | None) -> Table:
    table = Table("what", "items", "bytes", *([] if census is None else ["in the target"]))
    for section, amount in sorted(amounts.items()):
        size = "?" if amount.size_bytes is None else f"{amount.size_bytes:,}"
        there = [] if census is None else [f"{_count_in(census, section):,}"]
        table.add_row(section, f"{amount.count:,}", size, *there)
    for section in sorted(set(census.amounts if census else ()) - set(amounts)):
        if census and _count_in(census, section):
            table.add_row(section, "0", "0", f"{_count_in(census, section):,}")
    return table


def _count_in(census: Census, section: str) -> int:
    return census.amounts[section].count if section in census.amounts else 0


def _tell_about_workspace(name: str, census: Census) -> bool:
    """Tell what is in the way, and return whether nothing is."""
    if census.is_empty:
        output.print(f"The workspace {name} is empty or not there: nothing is in the way.")
        return True
    output.print(
        f"The workspace {name} holds {census.documents} listed documents: the copy needs another "
        "workspace, or --replace, which deletes them first."
    )
    for section in ("documents", "entities", "relations"):
        if count := census.shared_counts.get(section, 0):
            shown = ", ".join(census.shared[section][:_SHOWN])
            output.print(f"{count:,} {section} are in both: {shown}", markup=False)
    return False


def _tell_about_file(place: Place) -> bool:
    """Tell what is in the way, and return whether nothing is."""
    if place.url:
        output.print("Whether the key is free shows when it is written.")
        return True
    path = place.path
    is_free = True
    if place.kind is PlaceKind.ARCHIVE and path.exists():
        is_free = False
        output.print(f"{path} exists and is never overwritten; name another file.", markup=False)
    if place.kind is PlaceKind.ARCHIVE and not path.absolute().parent.is_dir():
        is_free = False
        output.print(f"There is no folder {path.absolute().parent}; make it.", markup=False)
    if place.kind is PlaceKind.FOLDER and files_in(path):
        is_free = False
        output.print(f"{path} holds files of LightRAG; name another folder.", markup=False)
    whole = path.absolute()  # a folder that exists may be a disk of its own
    folder = next(parent for parent in (whole, *whole.parents) if parent.is_dir())
    output.print(f"{_size(shutil.disk_usage(folder).free)} are free there.")
    return is_free


def _bytes(amounts: Mapping[str, Amount]) -> tuple[int, int]:
    """Return the bytes of rows and of what has vectors."""
    sizes = {section: amount.size_bytes or 0 for section, amount in amounts.items()}
    vectors = sum(size for section, size in sizes.items() if section.endswith("_vdb"))
    return sum(sizes.values()) - vectors, vectors


def _costs(target: Place | WorkspaceName, settings: Settings) -> _Costs:
    if isinstance(target, Place):
        return _ARCHIVE if target.kind is PlaceKind.ARCHIVE else _FILES
    return _FILES if ledger_url(settings).get_backend_name() == "sqlite" else _SERVERS


def _disk_bytes(costs: _Costs, rows: int, vectors: int) -> float:
    return rows * costs.row_growth + vectors * costs.vector_growth


def _seconds(costs: _Costs, amounts: Mapping[str, Amount]) -> float:
    return sum(amount.count / costs.rate(section) for section, amount in amounts.items())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
