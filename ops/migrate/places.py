"""Where data is moved from and to, as people write it."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ops.migrate.errors import PlaceError

OWN_SETTINGS = Path()
"""The path of `settings` alone: those of this process."""


class PlaceKind(StrEnum):
    """What is at a place."""

    FOLDER = "folder"
    """LightRAG's working folder with its file storages."""
    ARCHIVE = "archive"
    """One portable file, of a disk or in a bucket."""
    SETTINGS = "settings"
    """The stores that the settings of an installation name."""


@dataclass(frozen=True)
class Place:
    """One end of a migration."""

    kind: PlaceKind
    path: Path
    """With SETTINGS, the file of NAME=value lines, or OWN_SETTINGS."""
    secrets: tuple[str, ...] = ()
    """With SETTINGS, what of AWS Secrets Manager is added to the file."""
    url: str = ""
    """With ARCHIVE, `s3://bucket/key` where it is no file; then `path` means nothing."""
    shown_as: str = ""
    """What people are told it is, where that is something else: a step between two places."""

    @property
    def has_own_settings(self) -> bool:
        """Whether it is an installation that this process's settings say nothing of."""
        return self.kind is PlaceKind.SETTINGS and (self.path != OWN_SETTINGS or bool(self.secrets))

    @property
    def _has_no_file(self) -> bool:
        return self.kind is PlaceKind.SETTINGS and self.path == OWN_SETTINGS

    def resolved(self) -> "Place":
        """Return the same place as it is called from any working folder."""
        if self._has_no_file or self.url:
            return self
        return replace(self, path=self.path.resolve(), shown_as=str(self))

    def __str__(self) -> str:
        if self.shown_as:
            return self.shown_as
        if self._has_no_file:
            return f"{self.kind}:{' '.join(self.secrets)}" if self.secrets else self.kind
        return f"{self.kind}:{self.url or self.path}"


def parse_place(text: str) -> Place:
    """Read `folder:DIR`, `archive:FILE`, `archive:s3://bucket/key`, `settings` or `settings:FILE`.

    Raises:
        PlaceError: it is none of them.
    """
    word, _, path = text.partition(":")
    kind = next((kind for kind in PlaceKind if kind == word), None)
    if kind is None or (not path and text != PlaceKind.SETTINGS):
        sentence = (
            f"`{text}` is no place; write `folder:DIR`, `archive:FILE`, `settings` or "
            "`settings:FILE`."
        )
        raise PlaceError(sentence)
    if kind is PlaceKind.ARCHIVE and "://" in path:
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]", path):
            raise PlaceError(f"`{path}` is no place; write `s3://bucket/key`.")
        return Place(kind, Path(), url=path)
    return Place(kind, Path(path) if path else OWN_SETTINGS)
