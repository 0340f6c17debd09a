"""Passwords and keys: are they strong, and do they stand where few can read them?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.subject import Subject

_PASSWORDS = Reporter("doctor.security_passwords")
_ENV_FILE = Reporter("doctor.security_env_file")
_SOURCES = Reporter("doctor.security_secret_sources")
# 16 characters of a random alphabet are out of reach; a person's words may still be guessed.
_SHORTEST = 16
_FEWEST_DIFFERENT = 8
_WELL_KNOWN = (
    "changeme", "change-me", "change_me", "password", "secret", "lightrag", "postgres", "neo4j",
    "redis", "admin", "your_", "example", "default", "123456",
)  # fmt: skip
_SECRETS = (
    "POSTGRES_PASSWORD", "REDIS_PASSWORD", "NEO4J_PASSWORD", "FLOWER_PASSWORD", "API_KEY",
    "LLM_API_KEY", "EMBEDDING_API_KEY", "ARK_API_KEY",
)  # fmt: skip
# ECS sets it in every container; secrets of a task definition arrive as variables there.
_ON_ECS = "ECS_CONTAINER_METADATA_URI_V4"


def check_passwords(subject: Subject) -> Finding:
    """Look for passwords that are missing, short or well known; none is ever shown."""
    complaints = [
        f"{name} {complaint}"
        for name, value in _passwords(subject)
        if (complaint := _complaint(value))
    ]
    if complaints:
        return _PASSWORDS.error(
            f"{'; '.join(complaints)}. Make others with `openssl rand -base64 32`, and give them "
            "to the servers as well."
        )
    return _PASSWORDS.ok(f"All have {_SHORTEST} characters or more, and none is well known.")


def _passwords(subject: Subject) -> Iterator[tuple[str, str]]:
    """Name the passwords of our own servers; keys of models are their providers' business."""
    settings = subject.settings
    if subject.has_servers:
        yield "POSTGRES_PASSWORD", settings.postgres.password.get_secret_value()
        yield "REDIS_PASSWORD", settings.redis.password.get_secret_value()
        if broker := settings.broker.url.get_secret_value():
            yield "the password in BROKER_URL", urlsplit(broker).password or ""
    if settings.graph_in_neo4j:
        yield "NEO4J_PASSWORD", settings.neo4j.password.get_secret_value()
    if key := settings.api.key.get_secret_value():
        yield "API_KEY", key
    if flower := settings.flower.password.get_secret_value():
        yield "FLOWER_PASSWORD", flower


def _complaint(value: str) -> str | None:
    if not value:
        return "is empty"
    if any(word in value.lower() for word in _WELL_KNOWN):
        return "contains a word that is tried first"
    if len(value) < _SHORTEST:
        return f"has fewer than {_SHORTEST} characters"
    if len(set(value)) < _FEWEST_DIFFERENT:
        return "repeats the same few characters"
    return None


def check_env_file(subject: Subject) -> Finding:
    """Look at who may read the file of settings."""
    file = subject.env_file
    if file is None:
        return _ENV_FILE.ok("There is no .env here.")
    if file.mode & 0o077:
        return _ENV_FILE.error(
            f"{file.path} has mode {file.mode:04o}, so others of this machine may read it; run "
            f"`chmod 600 {file.path}`."
        )
    return _ENV_FILE.ok(f"{file.path} has mode {file.mode:04o}.")


def check_secret_sources(subject: Subject) -> Finding:
    """Tell which secrets stand as text beside settings that everybody shares."""
    named = {*_SECRETS, "BROKER_URL"}
    file = subject.env_file
    in_file = sorted(named & set(file.variables)) if file else []
    if file and in_file:
        return _SOURCES.warning(
            f"{', '.join(in_file)} stand as text in {file.path}; keep each in a file of its own "
            "(NAME_FILE) or in AWS Secrets Manager."
        )
    in_environment = sorted(name for name in named if subject.environment.get(name))
    if in_environment and _ON_ECS not in subject.environment:
        return _SOURCES.warning(
            f"{', '.join(in_environment)} come from the environment, which every process of this "
            "user can read; keep each in a file of its own (NAME_FILE)."
        )
    if in_environment:
        return _SOURCES.ok("ECS hands them over; doctor.security_aws_secrets tells from where.")
    return _SOURCES.ok("No secret stands in .env or in the environment.")
