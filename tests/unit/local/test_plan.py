"""What `ragfleet up` gives its processes: servers of our own, whatever a person's .env names."""

import os
import subprocess
from pathlib import Path

import pytest

from ops.local.credentials import Credentials
from ops.local.service import Ground, Plan, Service
from ops.up import local_plan, with_own_servers
from shared.connections import broker_url, redis_url
from shared.settings import load_settings

PORTS = {"api": 1, "flower": 2, "postgres": 3, "valkey": 4, "neo4j": 5}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Plan for somebody whose .env names servers of his own."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text(
        "USE_EXTERNAL_STORAGE=true\nBROKER_URL=redis://:theirs-1@elsewhere:6379/1\n"
        "REDIS_HOST=elsewhere\nLLM_API_KEY=theirs-2\n"
    )
    settings = with_own_servers(load_settings())
    return local_plan(settings, data_dir=tmp_path, api_port=None, flower_port=None)


def composed(plan: Plan) -> dict[str, Service]:
    ports = {name: PORTS[name] for name in plan.ports}
    ground = Ground(data_dir=plan.data_dir, ports=ports, credentials=Credentials())
    return {service.name: service for service in plan.compose(ground)}


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_demo_never_touches_the_servers_of_the_env_file(
    plan: Plan, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = composed(plan)[name].prepare().environment
    for variable in list(os.environ):  # noqa: TID251 - becomes the process's own
        monkeypatch.delenv(variable)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert broker_url(settings).endswith("@127.0.0.1:4/1")
    assert redis_url(settings.redis).endswith("@127.0.0.1:4/0")
    assert settings.postgres.port == PORTS["postgres"]


@pytest.mark.parametrize("name", ["api", "worker", "beat", "flower"])
def test_packages_of_the_same_name_in_the_working_folder_are_left_alone(
    plan: Plan, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.services.migrate", lambda _url: None)
    for package in ("api", "worker", "celery"):
        Path(package).mkdir()
        (Path(package) / "__init__.py").touch()
    spec = composed(plan)[name].prepare()
    *python, _, module = spec.argv[:4]
    found = "from importlib.util import find_spec as f; print(f(sys.argv[1]).origin)"
    shown = subprocess.run(
        [*python, "-c", f"import sys; {found}", module.partition(".")[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not Path(shown.stdout.strip()).is_relative_to(Path.cwd())


def test_flower_looks_at_the_broker_that_the_workers_use(plan: Plan) -> None:
    services = composed(plan)
    flower = services["flower"].prepare().environment["CELERY_BROKER_URL"]
    assert flower == services["worker"].prepare().environment["BROKER_URL"]


def test_keys_and_passwords_of_the_settings_are_hidden_in_errors(plan: Plan) -> None:
    assert plan.secrets == {"redis://:theirs-1@elsewhere:6379/1", "theirs-2"}


def planned(folder: Path, variables: str, *, demo: bool = False) -> dict[str, Service]:
    """Compose what runs for somebody with this .env."""
    Path(".env").write_text(variables)
    settings = with_own_servers(load_settings()) if demo else load_settings()
    return composed(local_plan(settings, data_dir=folder, api_port=None, flower_port=None))


def environment_of(services: dict[str, Service]) -> dict[str, str]:
    return dict(services["worker"].prepare().environment)


def test_a_graph_in_neo4j_brings_a_server_a_ledger_and_redis_databases_of_its_own(
    tmp_path: Path, plan: Plan
) -> None:
    services = planned(tmp_path, "GRAPH_STORAGE=Neo4JStorage\n")
    assert "neo4j" in services["api"].depends_on
    chosen = environment_of(services)
    assert (chosen["GRAPH_STORAGE"], chosen["NEO4J_URI"]) == (
        "Neo4JStorage",
        "bolt://127.0.0.1:5",
    )
    usual = environment_of(composed(plan))
    assert "neo4j" not in composed(plan)
    for name in ("POSTGRES_DB", "REDIS_DB", "BROKER_URL", "DATA_DIR"):
        assert chosen[name] != usual[name]


def test_a_neo4j_that_is_named_is_used_by_the_system_but_not_by_the_demo(
    tmp_path: Path, plan: Plan
) -> None:
    named = "GRAPH_STORAGE=Neo4JStorage\nNEO4J_URI=neo4j://elsewhere:7687\n"
    services = planned(tmp_path, named)
    assert "neo4j" not in services
    assert "NEO4J_URI" not in environment_of(services)  # the .env file says it
    demo = planned(tmp_path, named, demo=True)
    assert environment_of(demo)["NEO4J_URI"] == "bolt://127.0.0.1:5"


def test_beat_answers_prometheus_beside_the_worker_not_in_its_place(plan: Plan) -> None:
    with Path(".env").open("a") as settings:
        settings.write("METRICS_PORT=9200\n")  # what the worker reads
    assert composed(plan)["beat"].prepare().environment["METRICS_PORT"] == "9201"
    assert "METRICS_PORT" not in composed(plan)["worker"].prepare().environment
