"""The compose files: nothing stands open or is killed while it drains; no password is known."""

import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from pydantic_settings import BaseSettings

from api.main import _DRAIN_S as API_DRAIN_S
from ops.flower import variables_of as dashboard_variables
from ops.init_env import write_env
from shared.contract.names import QueueName
from shared.settings import Settings, load_settings
from shared.settings_secrets import _variables_of as variables_of_field
from shared.settings_secrets import is_secret
from tests.unit.deploy.docker_compose import compose
from tests.unit.docs.typed import blocks
from worker.celery_options import DRAIN_S

ROOT = Path(__file__).parents[3]
ONE_HOST = ["docker-compose.yml"]
AWS = ["docker-compose.yml", "docker-compose.aws.yml"]
FILES = ["docker-compose.files.yml"]
OURS = {"api", "worker-prepare", "worker-extract", "worker-commit", "beat", "flower", "init"}
STORES = {"redis", "postgres", "neo4j"}
ADDRESSES = {
    "REDIS_HOST": "redis.example.com",
    "POSTGRES_HOST": "postgres.example.com",
    "NEO4J_URI": "neo4j+s://aura.example.com",
    "POSTGRES_SSL_ROOT_CERT": "./authorities.pem",
}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read("docker-compose.yml")["services"]
    return found


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_every_tier_and_every_store_is_there(services: dict[str, dict[str, Any]]) -> None:
    assert {*OURS, *STORES, "nginx", "ragfleet"} == set(services)


def test_what_is_ours_writes_nowhere_else_and_may_not_become_more(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in OURS | {"ragfleet"}:
        service = services[name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"], name


def test_every_service_has_limits_and_its_logs_are_rotated(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name


def test_everything_that_stays_up_has_a_health_check_or_its_images(
    services: dict[str, dict[str, Any]],
) -> None:
    of_their_image = {"api", "worker-prepare", "worker-extract", "worker-commit"}
    once = {"init", "ragfleet"}
    for name in set(services) - of_their_image - once:
        assert services[name]["healthcheck"]["test"], name


def test_every_tier_waits_for_init_and_init_for_the_stores(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in OURS - {"init"}:
        waited = services[name]["depends_on"]["init"]["condition"]
        assert waited == "service_completed_successfully", name
    conditions = {name: one["condition"] for name, one in services["init"]["depends_on"].items()}
    assert conditions == dict.fromkeys(STORES, "service_healthy")


def test_nobody_is_killed_while_it_drains(services: dict[str, dict[str, Any]]) -> None:
    assert seconds(services["api"]["stop_grace_period"]) > API_DRAIN_S + 5
    for name in ("worker-prepare", "worker-extract", "worker-commit"):
        assert seconds(services[name]["stop_grace_period"]) > DRAIN_S + 5, name


def test_every_queue_is_served(services: dict[str, dict[str, Any]]) -> None:
    words = [services[f"worker-{name}"]["command"][-1] for name in ("prepare", "extract", "commit")]
    assert sorted(",".join(words).split(",")) == sorted(QueueName)


def test_ports_are_published_on_this_host_alone_unless_told_otherwise(
    services: dict[str, dict[str, Any]],
) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"api", "flower", "nginx"}
    for port in chain.from_iterable(published.values()):
        assert re.match(r"(127\.0\.0\.1|\$\{.*BIND_ADDRESS:-127\.0\.0\.1\}+):", port), port
    assert services["flower"]["profiles"] == ["monitoring"]


def test_the_stores_have_no_way_out(services: dict[str, dict[str, Any]]) -> None:
    assert read("docker-compose.yml")["networks"]["stores"]["internal"]
    assert {tuple(services[name]["networks"]) for name in STORES} == {("stores",)}
    assert services["nginx"]["networks"] == ["outside"]


def test_redis_never_throws_anything_away() -> None:
    lines = (ROOT / "deploy/redis/redis.conf").read_text(encoding="utf-8").splitlines()
    assert {"maxmemory-policy noeviction", "appendonly yes"} <= set(lines)


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.files.yml"])
def test_no_password_stands_in_a_compose_file(name: str) -> None:
    for secret in read(name)["secrets"].values():
        assert re.match(r"\$\{[A-Z0-9_]+_FILE:\?run `ragfleet init-env` once", secret["file"])


def secrets_of_settings() -> dict[str, str]:
    """Every variable that is a password or a key, and the one that names a file with it."""
    sections = get_type_hints(Settings).values()
    variables = [
        variable
        for section in sections
        if isinstance(section, type) and issubclass(section, BaseSettings)
        for name, field in section.model_fields.items()
        if is_secret(field)
        for _, variable in variables_of_field(section, field, name)
    ]
    assert {"LLM_API_KEY", "ARK_API_KEY", "REDIS_PASSWORD"} <= set(variables)
    return {variable: f"{variable}_FILE" for variable in variables}


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.files.yml"])
def test_whatever_env_says_passwords_are_files_in_containers(name: str) -> None:
    for service_name, service in read(name)["services"].items():
        if not service.get("env_file"):
            continue
        told = service["environment"]
        mounted = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        for variable, file in secrets_of_settings().items():
            if variable != "OTEL_EXPORTER_OTLP_HEADERS":
                assert told[variable] == "", (service_name, variable)
            assert told[file] in {"", *mounted}, (service_name, file)


def test_flower_starts_with_nothing_but_the_broker_whatever_models_and_stores_there_are(
    services: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flower = services["flower"]
    assert not flower["env_file"]
    assert not flower["volumes"]
    monkeypatch.chdir(tmp_path)
    for variable, value in flower["environment"].items():
        at_hand = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
        monkeypatch.setenv(variable, at_hand.replace("/run/secrets", str(tmp_path)))
    for secret in flower["secrets"]:
        (tmp_path / secret).write_text("known")
    assert dashboard_variables(load_settings(None))["CELERY_BROKER_URL"].startswith(
        "redis://:known@"
    )


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with the compose files, as a host has it."""
    for path in ROOT.glob("docker-compose*.yml"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        pytest.param(ONE_HOST, {}, id="one host"),
        pytest.param(FILES, {}, id="files"),
        pytest.param(AWS, ADDRESSES, id="AWS"),
    ],
)
def test_compose_takes_them_after_init_env(
    files: list[str], variables: dict[str, str], installation: Path
) -> None:
    write_env(installation)
    code, said = compose(installation, files, "config", "--format", "json", **variables)
    assert code == 0, said
    assert set(json.loads(said)["services"]) >= ({"fleet"} if files == FILES else OURS)


@pytest.mark.parametrize("files", [ONE_HOST, FILES])
def test_without_passwords_compose_says_what_to_do(files: list[str], installation: Path) -> None:
    code, said = compose(installation, files, "config", "--quiet")
    assert code != 0
    assert len(said.splitlines()) == 1
    assert "run `ragfleet init-env` once" in said


def test_on_aws_no_store_runs_here_and_every_connection_is_encrypted(installation: Path) -> None:
    write_env(installation)
    code, said = compose(installation, AWS, "config", "--format", "json", **ADDRESSES)
    assert code == 0, said
    found = json.loads(said)
    assert not STORES & set(found["services"])
    assert set(found["volumes"]) == {"data", "prepare_tmp"}
    for name in OURS - {"flower"}:
        environment = found["services"][name]["environment"]
        assert environment["REDIS_SSL"] == "true", name
        assert environment["POSTGRES_SSLMODE"] == "verify-full", name
        assert environment["NEO4J_URI"].startswith("neo4j+s://"), name


@pytest.mark.parametrize("missing", sorted(ADDRESSES))
def test_on_aws_a_missing_address_is_named(missing: str, installation: Path) -> None:
    write_env(installation)
    variables = {name: value for name, value in ADDRESSES.items() if name != missing}
    code, said = compose(installation, AWS, "config", "--quiet", **variables)
    assert code != 0
    assert missing in said


def test_compose_takes_the_env_that_the_page_of_phase_2_makes(installation: Path) -> None:
    page = (ROOT / "docs/operations/phase-2.md").read_text(encoding="utf-8")
    settings = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)[0]
    (switch,) = [block for block in blocks(page, "sh") if "COMPOSE_FILE=" in block]
    write_env(installation)
    folder = installation / "moving/in"
    folder.mkdir(parents=True)
    (folder / "aws.env").write_text(settings)
    for name in ("redis", "postgres", "neo4j"):
        (folder / f"{name}_password").write_text(f"word-of-{name}")
    typed = switch.partition("\ndocker ")[0]
    subprocess.run(["bash", "-euc", typed], cwd=installation, check=True)

    code, said = compose(installation, [], "config", "--format", "json")

    assert code == 0, said
    found = json.loads(said)
    assert not STORES & set(found["services"])
    environment = found["services"]["worker-commit"]["environment"]
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        # Passwords and certificates are files elsewhere in a container.
        if not name.endswith(("_FILE", "_CERT")):
            assert environment[name] == value, name
    assert (installation / "secrets/redis_password").read_text() == "word-of-redis"
