"""LightRAG's GraphML file, one entity or relation at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from ops.migrate.folder.reading import readable

Row = dict[str, Any]

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"
_TYPES = {"int": int, "long": int, "float": float, "double": float}


def entities_of(path: Path) -> Iterator[tuple[str, Row]]:
    """Give the entities of a graph by name, with their properties.

    Raises:
        SourceUnreadableError: the file is no GraphML, or cut off.
    """
    for names, row in _items(path, "node", ("id",)):
        yield names[0], row


def relations_of(path: Path) -> Iterator[tuple[str, str, Row]]:
    """Give the relations of a graph by the names of both ends, with their properties.

    Raises:
        SourceUnreadableError: the file is no GraphML, or cut off.
    """
    for names, row in _items(path, "edge", ("source", "target")):
        yield names[0], names[1], row


def _items(path: Path, wanted: str, named: tuple[str, ...]) -> Iterator[tuple[list[str], Row]]:
    if not path.exists():
        return
    keys: dict[str, Element] = {}
    with readable(path):
        for element, parent in _elements(path):
            if element.tag == f"{_SPACE}key":
                keys[element.attrib["id"]] = element
            elif element.tag == f"{_SPACE}{wanted}":
                yield [element.attrib[name] for name in named], _properties(element, keys)
            if element.tag in {f"{_SPACE}node", f"{_SPACE}edge"}:
                parent.clear()  # or the tree would grow to the size of the file


def _elements(path: Path) -> Iterator[tuple[Element, Element]]:
    """Give each element with what is around it, when it is whole."""
    parents: list[Element] = []
    for event, element in iterparse(path, events=("start", "end")):  # noqa: S314 - the user's own
        if event == "start":
            parents.append(element)
            continue
        parents.pop()
        if parents:
            yield element, parents[-1]


def _properties(element: Element, keys: dict[str, Element]) -> Row:
    found: Row = {}
    for data in element.findall(f"{_SPACE}data"):
        key = keys[data.attrib["key"]].attrib
        found[key["attr.name"]] = _value(data.text or "", key.get("attr.type", "string"))
    return found


def _value(text: str, kind: str) -> Any:  # noqa: ANN401 - text, number or truth
    if kind == "boolean":
        return text.lower() in {"true", "1"}
    return _TYPES.get(kind, str)(text)
