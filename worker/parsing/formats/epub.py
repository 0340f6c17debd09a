"""Reads EPUB: the chapters in the order of the book's spine, each as Markdown."""

import io
import posixpath
import zipfile
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from worker.parsing.archive import read_member
from worker.parsing.document import Source
from worker.parsing.errors import DamagedDocumentError
from worker.parsing.formats import html


def read(source: Source) -> str:
    """Return the book's chapters; raises DamagedDocumentError or EncryptedDocumentError."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
            return "\n\n".join(_chapter(archive, name, source) for name in _spine(archive))
    except (ET.ParseError, zipfile.BadZipFile) as error:
        raise DamagedDocumentError from error


def _spine(archive: zipfile.ZipFile) -> list[str]:
    """Return the chapters' member names in reading order."""
    suffix = "META-INF/container.xml"
    found = next((name for name in archive.namelist() if name.endswith(suffix)), suffix)
    container = ET.fromstring(read_member(archive, found))  # noqa: S314 (expat bounds expansion)
    package = next((e.get("full-path") for e in container.iter() if _local(e) == "rootfile"), None)
    if package is None:
        raise DamagedDocumentError
    package = found.removesuffix(suffix) + package
    root = ET.fromstring(read_member(archive, package))  # noqa: S314 (expat bounds expansion)
    items = {e.get("id"): e.get("href", "") for e in root.iter() if _local(e) == "item"}
    order = [e.get("idref") for e in root.iter() if _local(e) == "itemref"]
    folder = posixpath.dirname(package)
    known = set(archive.namelist())
    names = [
        posixpath.normpath(posixpath.join(folder, unquote(items[reference])))
        for reference in order
        if reference in items
    ]
    return [name for name in names if name in known]


def _chapter(archive: zipfile.ZipFile, name: str, source: Source) -> str:
    return html.read(Source(read_member(archive, name), name, "html", source.read_part))


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]
