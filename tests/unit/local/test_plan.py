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

PORTS = {"api": 1, "flower": 2, "postgres": 3, "valkey": 4}


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
    ground = Ground(data_dir=plan.data_dir, ports=PORTS, credentials=Credentials())
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
