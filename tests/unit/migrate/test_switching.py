"""What people are told to set after a move leads to the same servers, and names no secret."""

from pathlib import Path

import pytest

from ops.migrate.switching import switch_to
from shared.ids import PhysicalWorkspace
from shared.settings import load_settings
from tests.tls import Authority

NOTES = PhysicalWorkspace("notes")


@pytest.fixture
def cloud(tmp_path: Path) -> dict[str, str]:
    authority = str(Authority.make(tmp_path / "a").file)
    return {
        "USE_EXTERNAL_STORAGE": "true",
        "GRAPH_STORAGE": "Neo4JStorage",
        "POSTGRES_PASSWORD": "hush-1",
        "POSTGRES_SSLMODE": "verify-full",
        "POSTGRES_SSL_ROOT_CERT": authority,
        "REDIS_SSL": "true",
        "REDIS_USERNAME": "fleet",
        "REDIS_PASSWORD": "hush-2",
        "REDIS_SSL_CA_CERTS": authority,
        "NEO4J_URI": "neo4j+s://x.databases.neo4j.io",
        "NEO4J_PASSWORD": "hush-3",
        "OBJECT_STORE": "s3",
        "S3_BUCKET": "uploads",
    }


def test_settings_of_a_cloud_are_named_whole_but_for_passwords(cloud: dict[str, str]) -> None:
    switch = switch_to(load_settings(None, overrides=cloud), NOTES)

    for name, value in cloud.items():
        if name.endswith("PASSWORD"):
            assert name not in switch.fleet
        else:
            assert switch.fleet[name] == value
    assert "hush" not in str(switch)


def test_stock_goes_to_the_same_redis_by_tls(cloud: dict[str, str]) -> None:
    stock = switch_to(load_settings(None, overrides=cloud), NOTES).stock

    assert stock["REDIS_URI"].startswith("rediss://fleet:PASSWORD@localhost:6379/0?")
    assert stock["POSTGRES_SSL_MODE"] == "verify-full"
    assert "PGSSLMODE" not in stock
    assert stock["WORKSPACE"] == NOTES


def test_stock_is_not_told_to_want_tls_of_a_server_that_has_none() -> None:
    settings = load_settings(None, overrides={"USE_EXTERNAL_STORAGE": "true"})
    stock = switch_to(settings, NOTES).stock

    assert "POSTGRES_SSL_MODE" not in stock
    assert stock["PGSSLMODE"] == "prefer"
