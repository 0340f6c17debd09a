"""LightRAG's files, written a row at a time: what a parser wants first is put before at the end.

GraphML names its properties before it uses them, and NanoVectorDB's file ends with all vectors in
one text. Both become known on the way, so a part of each waits in a file of its own.
"""

import base64
import json
import re
import shutil
import time
import zlib
from abc import ABC, abstractmethod
from contextlib import suppress
from os import fsync
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ops.migrate.errors import ItemUnwritableError
from ops.migrate.folder.layout import GRAPH_FILE, ROW_FILES, VECTOR_FILES
from ops.migrate.tally import own_fields, section_of
from worker.commit.operations import Kind, Operation

Row = dict[str, Any]

_BUFFER_BYTES = 1 << 20
# Base64 makes four letters of three bytes: pieces that are multiples of three can be put together.
_MATRIX_BYTES = 3 * (1 << 18)
_GRAPH_HEAD = b"""<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""
_GRAPH_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
# XML 1.0 has no way to write these, not even as numbers.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A parser would make one line feed of it, and blanks of line feeds in attributes.
_CARRIAGE_RETURN = {"\r": "&#13;"}
_LINE_ENDS = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


class FolderWriter:
    """Writes operations that fill a workspace into the files of an empty folder."""

    def __init__(self, folder: Path) -> None:
        self._rows = {name: _RowsFile(folder / file) for name, file in ROW_FILES.items()}
        self._vectors = {name: _VectorsFile(folder / file) for name, file in VECTOR_FILES.items()}
        self._graph = _GraphFile(folder / GRAPH_FILE)

    def write(self, operation: Operation) -> None:
        """Add the rows of an operation.

        Raises:
            ItemUnwritableError: the format of LightRAG's files has no place for one of them.
            OSError: the disk is full.
        """
        for number, (*names, row) in enumerate(operation.rows):
            try:
                match operation.kind:
                    case Kind.PUT_NODES:
                        self._graph.add_entity(names[0], row)
                    case Kind.PUT_EDGES:
                        self._graph.add_relation(names[0], names[1], row)
                    case Kind.PUT_VECTORS:
                        file = self._vectors[operation.storage]
                        file.add(names[0], _own(operation, row), operation.vectors[number])
                    case Kind.PUT_STATUS:
                        self._rows[operation.storage].add(names[0], row)
                    case _:
                        self._rows[operation.storage].add(names[0], {**row, "_id": names[0]})
            except (TypeError, ValueError) as error:
                where = f"{section_of(operation)} {' – '.join(names)}"
                reason = str(error) if isinstance(error, _UnwritableError) else type(error).__name__
                sentence = f"LightRAG's files cannot hold {where!r} ({reason}); correct it first."
                raise ItemUnwritableError(sentence) from None

    def finish(self) -> None:
        """End all files and bring them onto the disk.

        Raises:
            OSError: the disk is full.
        """
        for file in (*self._rows.values(), *self._vectors.values(), self._graph):
            file.finish()

    def close(self) -> None:
        """Close the files as they are, whole or not."""
        for file in (*self._rows.values(), *self._vectors.values(), self._graph):
            file.close()


class _UnwritableError(ValueError):
    """Says what it is that a format has no place for."""


class _File(ABC):
    """One file that is written from the beginning to the end, and another for what comes last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("xb", buffering=_BUFFER_BYTES)
        self._later_path = path.with_name(f"{path.name}.later")
        self._later: IO[bytes] = self._later_path.open("w+b", buffering=_BUFFER_BYTES)

    def finish(self) -> None:
        """Write the end, and make the file durable."""
        self._end()
        self._file.flush()
        fsync(self._file.fileno())
        self.close()
        self._later_path.unlink()

    def close(self) -> None:
        """Close both; what a full disk did not take is told where it was written."""
        for file in (self._later, self._file):
            with suppress(OSError):
                file.close()

    @abstractmethod
    def _end(self) -> None:
        """Write what comes behind the last row."""

    def _append_later(self) -> None:
        self._later.seek(0)
        shutil.copyfileobj(self._later, self._file, _BUFFER_BYTES)


class _RowsFile(_File):
    """A `kv_store_*.json`: rows by id."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._separator = b"{\n"

    def add(self, key: str, row: Row) -> None:
        text = b"%b: %b" % (_json(key), _json(row))
        self._file.write(self._separator + text)
        self._separator = b",\n"

    def _end(self) -> None:
        self._file.write(b"\n}\n" if self._separator != b"{\n" else b"{}\n")


class _VectorsFile(_File):
    """A `vdb_*.json`: rows with a small copy of their vectors, then all vectors as one matrix."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._dimension: int | None = None
        self._waiting = bytearray()
        now_ns = time.time_ns()
        self._stamps = {"__created_at__": now_ns // 10**9, "__write_seq__": now_ns}

    def add(self, key: str, row: Row, vector: bytes) -> None:
        numbers = np.frombuffer(vector, dtype="<f4")
        if self._dimension not in {None, len(numbers)}:
            raise _UnwritableError(f"{len(numbers)} numbers where others have {self._dimension}")
        # As NanoVectorDBStorage writes it, and reads it when it is asked for vectors by id.
        with np.errstate(over="ignore"):
            halves = numbers.astype("<f2").tobytes()
        small = base64.b64encode(zlib.compress(halves)).decode()
        text = _json({"__id__": key, **self._stamps, **row, "vector": small})
        if self._dimension is None:
            self._dimension = len(numbers)
            self._file.write(b'{"embedding_dim": %d, "data": [\n' % self._dimension)
        else:
            self._file.write(b",\n")
        self._file.write(text)
        self._waiting += vector
        if len(self._waiting) >= _MATRIX_BYTES:
            whole = len(self._waiting) // _MATRIX_BYTES * _MATRIX_BYTES
            self._later.write(base64.b64encode(self._waiting[:whole]))
            del self._waiting[:whole]

    def finish(self) -> None:
        super().finish()
        if self._dimension is None:
            # A file without vectors would still say how long they are.
            self._path.unlink()

    def _end(self) -> None:
        self._later.write(base64.b64encode(self._waiting))
        self._file.write(b'\n], "matrix": "')
        self._append_later()
        self._file.write(b'"}\n')


class _GraphFile(_File):
    """The GraphML file as NetworkX reads it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._keys: dict[tuple[str, str, str], int] = {}

    def add_entity(self, name: str, row: Row) -> None:
        self._add("node", f"<node id={_attribute(name)}>", row)

    def add_relation(self, one: str, two: str, row: Row) -> None:
        ends = f"source={_attribute(one)} target={_attribute(two)}"
        self._add("edge", f"<edge {ends}>", row)

    def _add(self, scope: str, start: str, row: Row) -> None:
        parts = [start]
        for name, value in row.items():
            kind = _GRAPH_TYPES.get(type(value))
            if kind is None:
                raise _UnwritableError(f"{name} is a {type(value).__name__}")
            _require_xml(name)
            number = self._keys.setdefault((scope, name, kind), len(self._keys))
            parts.append(f'<data key="d{number}">{_text(str(value))}</data>')
        self._later.write(f"{''.join(parts)}</{scope}>\n".encode())

    def _end(self) -> None:
        self._file.write(_GRAPH_HEAD)
        for (scope, name, kind), number in self._keys.items():
            key = f'<key id="d{number}" for="{scope}" attr.name={_attribute(name)}'
            self._file.write(f'{key} attr.type="{kind}"/>\n'.encode())
        self._file.write(b'<graph edgedefault="undirected">\n')
        self._append_later()
        self._file.write(b"</graph>\n</graphml>\n")


def _own(operation: Operation, row: Row) -> Row:
    """Leave out what PostgreSQL alone keeps beside a vector."""
    return own_fields(operation.storage, row)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _text(text: str) -> str:
    return escape(_require_xml(text), _CARRIAGE_RETURN)


def _attribute(text: str) -> str:
    return quoteattr(_require_xml(text), _LINE_ENDS)


def _require_xml(text: str) -> str:
    if found := _NOT_XML.search(text):
        raise _UnwritableError(f"the character U+{ord(found.group()):04X}")
    return text
