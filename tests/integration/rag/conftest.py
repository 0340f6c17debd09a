"""Settings that name the real servers of this session."""

from pathlib import Path

import pytest

from shared.settings import Settings, load_settings
from tests.services import Neo4jServer, server_variables


@pytest.fixture
def variables(
    fresh_database: str, fresh_valkey: str, tmp_path: Path, own_environment: None
) -> dict[str, str]:
    """An empty PostgreSQL and Valkey."""
    return server_variables(fresh_database, fresh_valkey) | {"DATA_DIR": str(tmp_path)}


@pytest.fixture
def settings(variables: dict[str, str]) -> Settings:
    return load_settings(None, overrides=variables)


@pytest.fixture
def neo4j_variables(variables: dict[str, str], fresh_neo4j: Neo4jServer) -> dict[str, str]:
    """The same with an empty Neo4j."""
    return variables | fresh_neo4j.variables


@pytest.fixture
def neo4j_settings(neo4j_variables: dict[str, str]) -> Settings:
    return load_settings(None, overrides=neo4j_variables)
