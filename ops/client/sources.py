"""Which files the arguments of `ragfleet insert` mean."""

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path


class NoSuchSourceError(Exception):
    """An argument names no file."""


def find_files(arguments: Iterable[str]) -> list[Path]:
    """Turn files, folders (with all below) and quoted globs into files, each once, in order.

    Hidden files inside folders are left out: they are editors' and version control's.

    Raises:
        NoSuchSourceError: an argument means no file at all.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        files = list(_files_of(argument))
        if not files:
            raise NoSuchSourceError(f"{argument}: there is no such file, or the folder is empty.")
        found.update(dict.fromkeys(files))
    return list(found)


def _files_of(argument: str) -> Iterator[Path]:
    path = Path(argument)
    if path.exists():
        yield from _below(path)
        return
    for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207 - absolute patterns, too
        yield from _below(Path(match))


def _below(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in child.relative_to(path).parts)
            if child.is_file() and not hidden:
                yield child
