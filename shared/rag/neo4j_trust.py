"""Lets LightRAG's driver for Neo4j trust authorities of settings; it has no variable for that."""

import logging
from typing import Any

from neo4j import AsyncDriver, AsyncGraphDatabase

from shared.rag.neo4j_driver import address_of
from shared.settings_sections import Neo4jSettings


def trust_in_lightrag(neo4j: Neo4jSettings) -> None:
    """Let every driver that LightRAG opens from now on connect as our own do."""
    logger = logging.getLogger("neo4j")
    level = logger.level
    from lightrag.kg import neo4j_impl  # noqa: PLC0415 - it sets that logger's level, see below

    logger.setLevel(level)  # ours: what goes wrong is said in a sentence
    neo4j_impl.AsyncGraphDatabase = _Drivers(neo4j) if neo4j.ssl_ca_certs else AsyncGraphDatabase


class _Drivers:
    """Stands where LightRAG looks for the driver's class."""

    def __init__(self, neo4j: Neo4jSettings) -> None:
        self._neo4j = neo4j

    def driver(self, _uri: str, **options: Any) -> AsyncDriver:  # noqa: ANN401 - LightRAG's
        uri, trust = address_of(self._neo4j)
        return AsyncGraphDatabase.driver(uri, **options, **trust)
