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
    for element, keys in _elements(path, "node"):
        yield element.attrib["id"], _properties(element, keys)


def relations_of(path: Path) -> Iterator[tuple[str, str, Row]]:
    """Give the relations of a graph by the names of both ends, with their properties.

    Raises:
        SourceUnreadableError: the file is no GraphML, or cut off.
    """
    for element, keys in _elements(path, "edge"):
        yield element.attrib["source"], element.attrib["target"], _properties(element, keys)


def _elements(path: Path, wanted: str) -> Iterator[tuple[Element, dict[str, Element]]]:
    if not path.exists():
        return
    keys: dict[str, Element] = {}
    with readable(path):
        parents: list[Element] = []
        for event, element in iterparse(path, events=("start", "end")):  # noqa: S314 - the user's own
            if event == "start":
                parents.append(element)
                continue
            parents.pop()
            if element.tag == f"{_SPACE}key":
                keys[element.attrib["id"]] = element
            elif element.tag == f"{_SPACE}{wanted}":
                yield element, keys
            if element.tag in {f"{_SPACE}node", f"{_SPACE}edge"}:
                parents[-1].clear()  # or the tree would grow to the size of the file


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
