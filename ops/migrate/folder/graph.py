"""LightRAG's GraphML file, one entity or relation at a time.

The parser calls back for each tag, and no tree is built of what is not wanted: the half of what a
pass over a large file took with `iterparse`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from ops.migrate.folder.reading import readable

Row = dict[str, Any]

_SPACE = "http://graphml.graphdrawing.org/xmlns "
_DATA = f"{_SPACE}data"
_TYPES = {"int": int, "long": int, "float": float, "double": float}
_READ_BYTES = 1 << 18


def entities_of(path: Path) -> Iterator[tuple[str, Row]]:
    """Give the entities of a graph by name, with their properties.

    Raises:
        SourceUnreadableError: the file is no GraphML, or cut off.
    """
    for (name,), row in _items(path, "node", ("id",)):
        yield name, row


def relations_of(path: Path) -> Iterator[tuple[str, str, Row]]:
    """Give the relations of a graph by the names of both ends, with their properties.

    Raises:
        SourceUnreadableError: the file is no GraphML, or cut off.
    """
    for (source, target), row in _items(path, "edge", ("source", "target")):
        yield source, target, row


def _items(path: Path, wanted: str, named: tuple[str, ...]) -> Iterator[tuple[list[str], Row]]:
    if not path.exists():
        return
    with readable(path), path.open("rb") as file:
        items = _Items(wanted, named)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = items.begin
        parser.CharacterDataHandler = items.text
        parser.EndElementHandler = items.end
        while block := file.read(_READ_BYTES):
            parser.Parse(block)
            yield from items.taken()
        parser.Parse(b"", True)  # noqa: FBT003 - expat's; a file that is cut off is told here


class _Items:
    """The whole elements of one kind that the parser has passed since they were last taken."""

    def __init__(self, wanted: str, named: tuple[str, ...]) -> None:
        self._wanted, self._named = f"{_SPACE}{wanted}", named
        self._found: list[tuple[list[str], Row]] = []
        self._keys: dict[str, tuple[str, str]] = {}
        self._row: Row | None = None
        self._key: tuple[str, str] | None = None
        self._texts: list[str] = []
        self._names: list[str] = []

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == self._wanted:
            self._row, self._names = {}, [attributes[name] for name in self._named]
        elif self._row is not None and tag == _DATA:  # other programs write other things, too
            self._key, self._texts = self._keys[attributes["key"]], []
        elif tag == f"{_SPACE}key":
            name, kind = attributes["attr.name"], attributes.get("attr.type", "string")
            self._keys[attributes["id"]] = name, kind

    def text(self, text: str) -> None:
        if self._key is not None:
            self._texts.append(text)

    def end(self, tag: str) -> None:
        if self._row is None:
            return
        if self._key is not None and tag == _DATA:
            name, kind = self._key
            self._row[name] = _value("".join(self._texts), kind)
            self._key = None
        elif tag == self._wanted:
            self._found.append((self._names, self._row))
            self._row = None

    def taken(self) -> list[tuple[list[str], Row]]:
        found, self._found = self._found, []
        return found


def _value(text: str, kind: str) -> Any:  # noqa: ANN401 - text, number or truth
    if kind == "boolean":
        return text.lower() in {"true", "1"}
    return _TYPES.get(kind, str)(text)
