"""Every setting of the system, and the only place that reads the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from shared.errors import SettingsError
from shared.settings_ecs import EcsSettings
from shared.settings_http import ApiSettings, AuthSettings, FlowerSettings
from shared.settings_monitoring import CloudWatchSettings, MetricsSettings
from shared.settings_otel import OtelSettings
from shared.settings_s3 import S3Settings
from shared.settings_secrets import with_secret_files
from shared.settings_sections import (
    OFFLINE_DIM,
    BackupSettings,
    BrokerSettings,
    EmbeddingSettings,
    IndexingSettings,
    LanguageModelSettings,
    LimitSettings,
    LogSettings,
    Neo4jSettings,
    PostgresSettings,
    Provider,
    RedisSettings,
    Section,
    StorageSettings,
    WorkerSettings,
)

__all__ = [
    "Settings",
    "inherited_environment",
    "load_settings",
    "load_settings_of_another",
    "user_cache_folder",
]

# A server has 16 databases unless it is told otherwise.
_LAST_REDIS_DB = 15
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Settings:
    """All sections together; made once by a process's entry point and passed on as an argument."""

    storage: StorageSettings
    redis: RedisSettings
    neo4j: Neo4jSettings
    postgres: PostgresSettings
    s3: S3Settings
    broker: BrokerSettings
    llm: LanguageModelSettings
    embedding: EmbeddingSettings
    indexing: IndexingSettings
    api: ApiSettings
    auth: AuthSettings
    limits: LimitSettings
    worker: WorkerSettings
    log: LogSettings
    backup: BackupSettings
    otel: OtelSettings
    flower: FlowerSettings
    ecs: EcsSettings
    metrics: MetricsSettings
    cloudwatch: CloudWatchSettings

    @property
    def external(self) -> bool:
        """Whether stores are servers that many processes share, or files of this process."""
        return bool(self.storage.use_external_storage)

    @property
    def graph_in_neo4j(self) -> bool:
        """Whether this process keeps its graph in Neo4j."""
        return self.external and self.storage.graph_storage == "Neo4JStorage"

    @property
    def starts_neo4j(self) -> bool:
        """Whether a local system runs a Neo4j of its own: one is chosen, but none is named."""
        own_servers = self.storage.use_external_storage is None
        chosen = self.storage.graph_storage == "Neo4JStorage"
        return own_servers and chosen and not self.neo4j.uri

    @property
    def asked_key(self) -> str:
        """The key that every request to the API must carry; empty: none is asked for."""
        return "" if self.auth.mode == "none" else self.api.key.get_secret_value()

    def secrets(self) -> frozenset[str]:
        """Return all passwords and keys, to keep them out of messages."""
        values = (value for section in fields(self) for _, value in getattr(self, section.name))
        secrets = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return frozenset(filter(None, [*secrets, *self.otel.secret_words]))


def load_settings(
    env_file: Path | None = Path(".env"), *, overrides: Mapping[str, str] | None = None
) -> Settings:
    """Read the environment, then `env_file` for what the environment leaves open.

    Args:
        env_file: a file of NAME=value lines; it may be missing.
        overrides: variables that win over both, such as a local system gives its processes.

    Raises:
        SettingsError: a variable is wrong or contradicts another; the sentence names it.
    """
    return _load(lambda section: section, env_file, overrides or {})


def load_settings_of_another(
    env_file: Path | None, *, overrides: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings of another installation; this process's environment has no say in them.

    Args:
        env_file: a file of NAME=value lines; None: all are in `overrides`.
        overrides: variables that win over it.

    Raises:
        SettingsError: the file cannot be read, a variable in it is wrong, or it leaves open where
            that installation keeps its data.
    """
    name = "The settings" if env_file is None else str(env_file)
    try:
        if env_file is not None:
            env_file.open("rb").close()
        settings = _load(_without_environment, env_file, overrides or {})
    except OSError as error:
        sentence = f"The settings in {env_file} cannot be read: {error.strerror}."
        raise SettingsError(sentence) from None
    except SettingsError as error:
        raise SettingsError(f"{name}: {error.detail}") from None
    if settings.storage.use_external_storage is None:
        sentence = (
            f"{name} must say USE_EXTERNAL_STORAGE: `true` for the servers that it names, "
            "`false` for files in its DATA_DIR."
        )
        raise SettingsError(sentence)
    return settings


def _load(
    chosen: Callable[[type[Section]], type[Section]],
    env_file: Path | None,
    overrides: Mapping[str, str],
) -> Settings:
    sections = {
        field.name: _load_section(chosen(field.type), env_file, overrides)
        for field in fields(Settings)
        if isinstance(field.type, type)
    }
    settings = Settings(**sections)
    _refuse_contradictions(settings)
    return settings


def _without_environment(section: type[Section]) -> type[Section]:
    """Make a section that reads nothing but what it is given, and its file."""

    def sources(
        _cls: type[Section],
        /,
        _section: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return with_secret_files(section, init_settings, dotenv_settings)

    body = {"__module__": __name__, "settings_customise_sources": classmethod(sources)}
    return type(section.__name__, (section,), body)


def _load_section(
    section: type[Section], env_file: Path | None, overrides: Mapping[str, str]
) -> Any:  # noqa: ANN401 - one of the sections
    prefix = section.model_config.get("env_prefix", "").upper()
    given: dict[str, Any] = {
        name: overrides[prefix + name.upper()]
        for name in section.model_fields
        if prefix + name.upper() in overrides
    }
    try:
        return section(_env_file=env_file, **given)
    except ValidationError as error:
        raise SettingsError(_sentence(section, error)) from None  # the cause would show the value
    except UnicodeDecodeError:
        sentence = f"{env_file} is not text in UTF-8; save it as that and start again."
        raise SettingsError(sentence) from None


def _sentence(section: type[Section], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    field = str(first["loc"][0])
    name = (
        field if field.isupper() else f"{section.model_config.get('env_prefix', '')}{field}".upper()
    )
    return f"{name} is not usable: {message[0].lower()}{message[1:]}; correct it and start again."


def _refuse_contradictions(settings: Settings) -> None:
    _refuse_open_doors(settings)
    if not settings.broker.url.get_secret_value() and settings.redis.db >= _LAST_REDIS_DB:
        sentence = "REDIS_DB leaves no database after it for messages; lower it or set BROKER_URL."
        raise SettingsError(sentence)
    if settings.graph_in_neo4j:
        _require(settings.neo4j.uri, "NEO4J_URI", "GRAPH_STORAGE=Neo4JStorage needs it")
    if settings.storage.object_store == "s3":
        _require(settings.s3.bucket, "S3_BUCKET", "OBJECT_STORE=s3 needs it")
    for prefix, model in (("LLM", settings.llm), ("EMBEDDING", settings.embedding)):
        if model.provider is Provider.OFFLINE:
            continue
        reason = f"{prefix}_PROVIDER={model.provider} needs it"
        _require(model.model, f"{prefix}_MODEL", reason)
        if model.provider is not Provider.OLLAMA:
            _require(model.api_key.get_secret_value(), f"{prefix}_API_KEY", reason)
    if settings.embedding.provider is Provider.OFFLINE and settings.embedding.dim != OFFLINE_DIM:
        sentence = f"EMBEDDING_DIM must be {OFFLINE_DIM} with EMBEDDING_PROVIDER=offline; unset it."
        raise SettingsError(sentence)


def _refuse_open_doors(settings: Settings) -> None:
    host, mode, key = settings.api.host, settings.auth.mode, settings.api.key.get_secret_value()
    if mode == "key":
        _require(key, "API_KEY", "AUTH_MODE=key needs it")
    if not key and mode != "none" and host not in _THIS_MACHINE:
        sentence = (
            f"API_HOST={host} is reachable by others; set API_KEY or use 127.0.0.1. AUTH_MODE=none "
            "lets everybody in who reaches it."
        )
        raise SettingsError(sentence)


def _require(value: str, name: str, reason: str) -> None:
    if not value:
        sentence = f"{name} is not set, but {reason}; set it and start again."
        raise SettingsError(sentence)


def inherited_environment() -> dict[str, str]:
    """Copy this process's environment, for the child processes of the local supervisor."""
    return dict(os.environ)  # noqa: TID251 - this is the module that may


def user_cache_folder() -> Path:
    """Where programs keep what they could fetch again, by the XDG rules; it may not exist yet."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))  # noqa: TID251 - as above
    return named if named.is_absolute() else Path.home() / ".cache"  # relative ones do not count
