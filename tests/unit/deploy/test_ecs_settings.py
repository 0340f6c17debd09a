"""Each process starts with the settings and secrets that Terraform gives it on ECS."""

import re
from pathlib import Path

import pytest

from ops.flower import variables_of
from shared.settings import load_settings_of_another
from shared.startup import require_servers

SERVICES = (Path(__file__).parents[3] / "deploy/terraform/services.tf").read_text()
MODEL = {
    "LLM_PROVIDER": "openai",
    "LLM_MODEL": "m",
    "EMBEDDING_PROVIDER": "openai",
    "EMBEDDING_MODEL": "e",
    "EMBEDDING_DIM": "8",
}
# What other resources say, and no file can.
KNOWN_LATER = {
    "S3_BUCKET": "uploads",
    "S3_REGION": "eu-central-1",
    "BACKUP_TO": "s3://backups/ragfleet",
    "BACKUP_SCHEDULE": "30 3 * * *",
    "REDIS_HOST": "redis.example.com",
    "REDIS_PORT": "6379",
    "POSTGRES_HOST": "postgres.example.com",
    "POSTGRES_PORT": "5432",
    "POSTGRES_DB": "lightrag",
    "POSTGRES_USER": "lightrag",
    "POSTGRES_SSLMODE": "require",
    "GRAPH_STORAGE": "PGTableGraphStorage",
    "CLOUDWATCH_INSTALLATION": "ragfleet",
    "CLOUDWATCH_REGION": "eu-central-1",
}
SECRET = "x7Kq29fLmZp0RtWv81"


def block(opening: str) -> str:
    """What stands between the braces after `opening`."""
    rest = SERVICES.partition(opening)[2]
    depth = 0
    for index, character in enumerate(rest):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return rest[:index]
    raise AssertionError(opening)


def common() -> dict[str, str]:
    """The environment of all services."""
    rows = re.findall(r"^ {4}(\w+) += (.+)$", block("merge(local.told, {"), re.MULTILINE)
    literal = {name: value.strip('"') for name, value in rows if re.fullmatch(r'"[^"$]*"', value)}
    assert set(dict(rows)) == set(literal) | set(KNOWN_LATER)
    return literal | KNOWN_LATER


def own(service: str) -> dict[str, str]:
    """What a service has besides, secrets as a value of nobody's."""
    described = block(f"    {service} = {{")
    pairs = re.findall(
        r'(\w+) *= "([^"]*)"', "".join(re.findall(r"environment += {[^}]*}", described))
    )
    secrets = re.findall(r"(\w+) += module\.secrets", described)
    return dict(pairs) | dict.fromkeys(secrets, SECRET)


def given_to(service: str) -> dict[str, str]:
    """All variables of a service whose installation uses a model with a key."""
    shared = common() | MODEL
    secrets = {"REDIS_PASSWORD", "POSTGRES_PASSWORD", "LLM_API_KEY", "EMBEDDING_API_KEY"}
    if service == "flower":
        (pattern,) = re.findall(r'!= "flower" \|\| can\(regex\("(.+?)", variable', SERVICES)
        read = re.compile(pattern.replace("\\\\", "\\"))
        shared = {name: value for name, value in shared.items() if read.fullmatch(name)}
        secrets = {"REDIS_PASSWORD"}
    return shared | dict.fromkeys(secrets, SECRET) | own(service)


@pytest.mark.parametrize(
    "service", ["api", "worker-prepare", "worker-extract", "worker-commit", "beat", "init"]
)
def test_a_process_takes_its_settings(service: str) -> None:
    settings = load_settings_of_another(None, overrides=given_to(service))
    require_servers(settings)
    assert settings.redis.ssl
    if service in {"api", "init"}:
        assert settings.api.key.get_secret_value() == SECRET
    if service == "beat":
        assert settings.cloudwatch.enabled


def test_the_dashboard_takes_settings_without_the_keys_of_models() -> None:
    given = given_to("flower")
    assert not set(given) & set(MODEL)
    variables = variables_of(load_settings_of_another(None, overrides=given))
    assert any("redis.example.com" in value for value in variables.values())
