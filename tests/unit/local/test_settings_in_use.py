"""Commands about stored data mean the stores of the system that runs, unless settings name some."""

import os
from pathlib import Path

import pytest

from ops.local.identity import identify
from ops.local.state import Layout, Phase, ServiceState, SupervisorState
from ops.settings_in_use import settings_in_use
from shared.connections import redis_url
from shared.errors import SettingsError
from shared.settings import Settings, load_settings


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    made = Layout(tmp_path / "data")
    made.make()
    return made


def runs(layout: Layout, **ports: int) -> None:
    """Write down what a supervisor would, with this process as the supervisor."""
    ours = identify(os.getpid())
    assert ours is not None
    services = tuple(
        ServiceState(
            name=name,
            phase=Phase.READY,
            process=None,
            guard=None,
            restarts=0,
            port=port,
            url=None,
        )
        for name, port in ports.items()
    )
    layout.save(SupervisorState(supervisor=ours, phase=Phase.READY, services=services))


def chosen(**variables: str) -> Settings:
    return load_settings(overrides=variables)


def test_a_running_systems_own_servers_are_meant(layout: Layout) -> None:
    runs(layout, postgres=3, valkey=4, api=1)
    found = settings_in_use(load_settings())

    assert found.external
    assert (found.postgres.port, found.postgres.db) == (3, "lightrag")
    assert redis_url(found.redis).endswith("@127.0.0.1:4/0")
    assert found.storage.data_dir == layout.data_dir / "embedded"


def test_a_running_neo4j_is_meant(layout: Layout) -> None:
    runs(layout, postgres=3, valkey=4, neo4j=5)
    found = settings_in_use(chosen(GRAPH_STORAGE="Neo4JStorage"))

    assert found.neo4j.uri.endswith(":5")
    assert found.postgres.db == "lightrag_neo4j"


def test_another_graph_than_the_running_one_is_refused(layout: Layout) -> None:
    runs(layout, postgres=3, valkey=4)

    with pytest.raises(SettingsError, match="GRAPH_STORAGE"):
        settings_in_use(chosen(GRAPH_STORAGE="Neo4JStorage"))


def test_without_a_running_system_the_stores_must_be_named(layout: Layout) -> None:
    with pytest.raises(SettingsError, match="USE_EXTERNAL_STORAGE"):
        settings_in_use(load_settings())


@pytest.mark.parametrize("named", ["true", "false"])
def test_named_stores_are_meant_whatever_runs(layout: Layout, named: str) -> None:
    runs(layout, postgres=3, valkey=4)
    settings = chosen(USE_EXTERNAL_STORAGE=named)

    assert settings_in_use(settings) is settings
