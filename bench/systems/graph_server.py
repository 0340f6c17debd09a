"""The Neo4j of a benchmark; loaded only when a case wants it, since it needs Java."""

from pathlib import Path
from typing import Any


def neo4j_server(folder: Path, port: int, *, password: str) -> Any:  # noqa: ANN401 - see below
    """Return the local Neo4j; it has the other servers' methods, and `uri`."""
    from ops.local.neo4j import EmbeddedNeo4j  # noqa: PLC0415 - as the first line says

    return EmbeddedNeo4j(folder, port, password=password)
