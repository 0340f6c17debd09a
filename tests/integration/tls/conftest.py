"""Servers behind TLS, and the settings that lead to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.integration.engine.shapes import server_variables
from tests.integration.migrate.conftest import stock_folder
from tests.tls import HOST, Authority, Terminator

__all__ = ["stock_folder"]  # a fixture of migrations


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def another_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("another"))


@pytest.fixture(scope="session")
def tls_postgres(authority: Authority, postgres_url: str) -> Iterator[int]:
    """The port of a PostgreSQL that wants TLS."""
    port = make_url(postgres_url).port or 0
    with Terminator(authority, port, is_postgres=True).running() as port:
        yield port


@pytest.fixture(scope="session")
def tls_valkey(authority: Authority, valkey_url: str) -> Iterator[int]:
    """The port of a Valkey that wants TLS."""
    with Terminator(authority, make_url(valkey_url).port or 0).running() as port:
        yield port


@pytest.fixture
def tls_variables(
    authority: Authority,
    fresh_database: str,
    fresh_valkey: str,
    tls_postgres: int,
    tls_valkey: int,
    tmp_path: Path,
) -> dict[str, str]:
    """Settings for both, as they should be."""
    return server_variables("valkey", tmp_path / "data", fresh_database, fresh_valkey) | {
        "POSTGRES_HOST": HOST,
        "POSTGRES_PORT": str(tls_postgres),
        "POSTGRES_SSLMODE": "verify-full",
        "POSTGRES_SSL_ROOT_CERT": str(authority.file),
        "REDIS_HOST": HOST,
        "REDIS_PORT": str(tls_valkey),
        "REDIS_SSL": "true",
        "REDIS_SSL_CA_CERTS": str(authority.file),
        "REDIS_USERNAME": "default",
    }
