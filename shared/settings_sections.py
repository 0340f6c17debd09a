"""The sections of the settings: what each variable means, its default and its bounds."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.settings_secrets import SecretsFromFiles
from shared.settings_types import (
    Authorities,
    Key,
    Port,
    PositiveNumber,
    Schedule,
    Share,
    WebAddress,
)

OFFLINE_DIM = 384
"""The dimension of the embedding model that ships with the project."""


class Provider(StrEnum):
    """Where model calls go; `ark` and `ollama` are presets of the OpenAI-compatible client."""

    OFFLINE = "offline"
    OPENAI = "openai"
    ARK = "ark"
    OLLAMA = "ollama"


class Section(SecretsFromFiles, BaseSettings):
    """One group of variables that share a prefix."""

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
        populate_by_name=True,  # or overrides of variables with two names would be ignored
    )


def _class_name(text: object) -> object:
    # The user guide calls it NanoVectorDB; LightRAG's class is named otherwise.
    return "NanoVectorDBStorage" if text == "NanoVectorDB" else text


def _none_of_nothing(text: object) -> object:
    return text or None


def _words(text: object) -> object:
    return (
        [word.strip() for word in text.split(",") if word.strip()]
        if isinstance(text, str)
        else text
    )


class StorageSettings(Section):
    """Which LightRAG storages are used; the names matter only with USE_EXTERNAL_STORAGE=true."""

    use_external_storage: bool | None = None
    """Unset means false, except for `ragfleet up`, which then starts its own servers."""
    kv_storage: Literal["RedisKVStorage", "PGKVStorage", "JsonKVStorage"] = "RedisKVStorage"
    vector_storage: Annotated[
        Literal["PGVectorStorage", "NanoVectorDBStorage"], BeforeValidator(_class_name)
    ] = "PGVectorStorage"
    graph_storage: Literal["Neo4JStorage", "PGTableGraphStorage", "NetworkXStorage"] = (
        "PGTableGraphStorage"
    )
    object_store: Literal["local", "s3"] = "local"
    data_dir: Path = Path(".ragfleet")

    @model_validator(mode="after")
    def _external_means_servers(self) -> Self:
        if self.use_external_storage:
            for name in ("kv_storage", "vector_storage", "graph_storage"):
                if getattr(self, name) in {
                    "JsonKVStorage",
                    "NanoVectorDBStorage",
                    "NetworkXStorage",
                }:
                    sentence = (
                        f"{name.upper()}={getattr(self, name)} keeps its data in local files, but "
                        "USE_EXTERNAL_STORAGE=true; name a server storage or set it to false."
                    )
                    raise ValueError(sentence)
        return self


class RedisSettings(Section):
    """The Redis (or Valkey) that holds LightRAG's key-value data and carries messages."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")
    host: str = "localhost"
    port: Port = 6379
    db: NonNegativeInt = 0
    ssl: bool = False
    ssl_ca_certs: Authorities = None
    username: str = ""
    password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _authorities_mean_tls(self) -> Self:
        if self.ssl_ca_certs and "ssl" not in self.model_fields_set:
            sentence = "REDIS_SSL_CA_CERTS is set, but REDIS_SSL is not; set it to true."
            raise ValueError(sentence)
        return self


class Neo4jSettings(Section):
    """The Neo4j that holds the graph when GRAPH_STORAGE=Neo4JStorage."""

    model_config = SettingsConfigDict(env_prefix="NEO4J_")
    uri: str = ""
    username: str = "neo4j"
    password: SecretStr = SecretStr("")
    database: str = "neo4j"
    ssl_ca_certs: Authorities = None
    """Used with neo4j+s:// and bolt+s://."""


class PostgresSettings(Section):
    """The PostgreSQL with pgvector that holds the ledger, vectors and document status."""

    model_config = SettingsConfigDict(env_prefix="POSTGRES_")
    host: str = "localhost"
    port: Port = 5432
    db: str = "lightrag"
    user: str = "lightrag"
    password: SecretStr = SecretStr("")
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ssl_root_cert: Authorities = None

    @model_validator(mode="after")
    def _authorities_mean_verifying(self) -> Self:
        if self.ssl_root_cert and self.sslmode in {"prefer", "require"}:
            sentence = (
                f"POSTGRES_SSLMODE={self.sslmode} looks at no certificate, but "
                "POSTGRES_SSL_ROOT_CERT is set; set POSTGRES_SSLMODE=verify-full."
            )
            raise ValueError(sentence)
        return self


class LanguageModelSettings(Section):
    """The language model that extracts, summarises and answers."""

    model_config = SettingsConfigDict(env_prefix="LLM_")
    provider: Provider = Provider.OFFLINE
    base_url: WebAddress = ""
    api_key: Key = Field(SecretStr(""), validation_alias=AliasChoices("LLM_API_KEY", "ARK_API_KEY"))
    model: str = ""
    max_concurrency: PositiveInt = 16
    """Of the whole fleet, as are the other limits; 0 in those means unlimited."""
    requests_per_minute: NonNegativeInt = 0
    tokens_per_minute: NonNegativeInt = 0
    query_share: Share = 0.1
    """What only queries may use."""
    timeout_s: PositiveNumber = 180


class EmbeddingSettings(Section):
    """The model that turns text into vectors."""

    model_config = SettingsConfigDict(env_prefix="EMBEDDING_")
    provider: Provider = Provider.OFFLINE
    base_url: WebAddress = ""
    api_key: Key = Field(
        SecretStr(""), validation_alias=AliasChoices("EMBEDDING_API_KEY", "ARK_API_KEY")
    )
    model: str = ""
    dim: Annotated[int, Field(ge=1, le=4000)] = 384
    max_concurrency: PositiveInt = 8
    """Of the whole fleet, as are the other limits; 0 in those means unlimited."""
    requests_per_minute: NonNegativeInt = 0
    tokens_per_minute: NonNegativeInt = 0
    query_share: Share = 0.1
    """What only queries may use."""
    timeout_s: PositiveNumber = 60


class IndexingSettings(Section):
    """How text becomes chunks and what is looked for in them."""

    # The offline embedding model reads 512 tokens of its own kind, about 400 of these.
    chunk_size: Annotated[int, Field(ge=50, le=8000)] = 400
    chunk_overlap_size: NonNegativeInt = 50
    extract_batch_chunks: PositiveInt = 8
    summary_language: str = "English"
    extract_entity_types: Annotated[list[str], NoDecode, BeforeValidator(_words)] = []
    """Empty means the eleven types of LightRAG's own prompt."""

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> Self:
        if self.chunk_overlap_size >= self.chunk_size:
            sentence = "CHUNK_OVERLAP_SIZE must be smaller than CHUNK_SIZE; lower it."
            raise ValueError(sentence)
        return self


class LimitSettings(Section):
    """Bounds: what is refused, how long things may take, how long ended things are kept."""

    max_upload_bytes: PositiveInt = 256 * 1024 * 1024
    max_request_bytes: PositiveInt = 512 * 1024
    """For every request body that is not an upload."""
    parse_timeout_s: PositiveNumber = 120
    parse_memory_bytes: PositiveInt = 1536 * 1024 * 1024
    parse_workers: PositiveInt = 2
    worker_threads: PositiveInt = 64
    stage_timeout_s: PositiveNumber = 3600
    task_lease_s: PositiveNumber = 20
    """How long a silent worker keeps its task; renewed every third of it."""
    commit_max_chunks: PositiveInt = 500
    """How many chunks one group adds to the graph; larger documents go in slices of so many."""
    commit_max_bytes: PositiveInt = 64 * 1024 * 1024
    """How large a group's journal may become, about; it is in memory while it is written."""
    journal_retention_s: PositiveNumber = 900
    """How long applied journals are kept, to repair a store that lost its last writes."""
    max_attempts: PositiveInt = 10
    retry_budget_hours: PositiveNumber = 6
    sweep_interval_s: PositiveNumber = 2
    task_retention_days: PositiveNumber = 30
    workspace_idle_s: PositiveNumber = 600
    max_open_workspaces: PositiveInt = 32


class WorkerSettings(Section):
    """What a worker process tells of itself."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")
    pulse_file: Annotated[Path | None, BeforeValidator(_none_of_nothing)] = None


class LogSettings(Section):
    """How much is logged, and for whom."""

    model_config = SettingsConfigDict(env_prefix="LOG_")
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class BrokerSettings(Section):
    """Where messages travel; derived from REDIS_* unless named."""

    model_config = SettingsConfigDict(env_prefix="BROKER_")
    url: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _is_redis(self) -> Self:
        url = self.url.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://")):
            sentence = "BROKER_URL must begin with redis:// or rediss://; correct it or unset it."
            raise ValueError(sentence)
        return self


class BackupSettings(Section):
    """Where backups are kept, when they are made, and how many of them stay."""

    model_config = SettingsConfigDict(env_prefix="BACKUP_")
    to: str = ""
    """A folder or s3://bucket/prefix; empty: the folder `backups` in DATA_DIR."""
    schedule: Schedule = ""
    """Five fields of cron, in UTC; empty: none."""
    keep_last: NonNegativeInt = 3
    """Of each workspace, as are the others; all four 0: nothing is ever removed."""
    keep_daily: NonNegativeInt = 7
    keep_weekly: NonNegativeInt = 5
    keep_monthly: NonNegativeInt = 12
