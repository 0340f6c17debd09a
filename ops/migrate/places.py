"""Where data is moved from and to, as people write it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ops.migrate.errors import PlaceError


class PlaceKind(StrEnum):
    """What is at a place."""

    FOLDER = "folder"
    """LightRAG's working folder with its file storages."""
    ARCHIVE = "archive"
    """One portable file, of a disk or in a bucket."""
    SETTINGS = "settings"
    """The stores that the settings of this installation name."""


@dataclass(frozen=True)
class Place:
    """One end of a migration; `path` means nothing for SETTINGS."""

    kind: PlaceKind
    path: Path
    url: str = ""
    """With ARCHIVE, `s3://bucket/key` where it is no file; then `path` means nothing."""

    def __str__(self) -> str:
        if self.kind is PlaceKind.SETTINGS:
            return self.kind
        return f"{self.kind}:{self.url or self.path}"


def parse_place(text: str) -> Place:
    """Read `folder:DIR`, `archive:FILE`, `archive:s3://bucket/key` or `settings`.

    Raises:
        PlaceError: it is none of them.
    """
    word, _, path = text.partition(":")
    kind = next((kind for kind in PlaceKind if kind == word), None)
    if kind is None or bool(path) == (kind is PlaceKind.SETTINGS):
        sentence = f"`{text}` is no place; write `folder:DIR`, `archive:FILE` or `settings`."
        raise PlaceError(sentence)
    if kind is PlaceKind.ARCHIVE and "://" in path:
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]", path):
            raise PlaceError(f"`{path}` is no place; write `s3://bucket/key`.")
        return Place(kind, Path(), path)
    return Place(kind, Path(path))
