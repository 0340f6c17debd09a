"""The bridge to LightRAG's configuration: its storages read nothing but the environment."""

import os

from shared.connections import redis_url
from shared.settings import Settings

# Each overrides the workspace that is given in code; a stray .env would otherwise set them.
_WORKSPACE_VARIABLES = (
    "WORKSPACE",
    "REDIS_WORKSPACE",
    "POSTGRES_WORKSPACE",
    "NEO4J_WORKSPACE",
)
# LightRAG's own pool; the ledger has another one beside it.
_POSTGRES_CONNECTIONS = 16


def publish_environment(settings: Settings) -> None:
    """Write LightRAG's variables into this process's environment, before its storages are built."""
    variables = dict.fromkeys(_WORKSPACE_VARIABLES, "")
    # For the offline embeddings' threads: on a busy machine waiting threads that spin made short
    # texts take 2.5 times the CPU.
    variables["OMP_WAIT_POLICY"] = "PASSIVE"
    # LightRAG refuses to start when a variable of this old name exists; ours has another.
    os.environ.pop("ENTITY_TYPES", None)  # noqa: TID251 - removing is not reading
    if settings.external:
        variables |= server_variables(settings)
        if settings.graph_in_neo4j:
            from shared.rag.neo4j_trust import (  # noqa: PLC0415 - a driver that others do not pay
                trust_in_lightrag,
            )

            trust_in_lightrag(settings.neo4j)
    os.environ.update(variables)  # noqa: TID251 - written, never read


def server_variables(settings: Settings) -> dict[str, str]:
    """Return the variables by which LightRAG's storages find the servers, passwords included."""
    variables = _postgres(settings) | {"REDIS_URI": redis_url(settings.redis)}
    return variables | _neo4j(settings) if settings.graph_in_neo4j else variables


def _postgres(settings: Settings) -> dict[str, str]:
    postgres = settings.postgres
    is_weak = postgres.sslmode in {"prefer", "require"}
    return {
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "POSTGRES_DATABASE": postgres.db,
        # LightRAG takes "prefer" for "require", and "require" for "verify-full" with the
        # authorities of the machine; left open, its driver does as its own variable says.
        "POSTGRES_SSL_MODE": "" if is_weak else postgres.sslmode,
        "PGSSLMODE": postgres.sslmode if is_weak else "prefer",
        "POSTGRES_SSL_ROOT_CERT": str(postgres.ssl_root_cert or ""),
        "POSTGRES_MAX_CONNECTIONS": str(_POSTGRES_CONNECTIONS),
        # HNSW indexes plain vectors up to 2,000 dimensions, half-precision ones up to 4,000.
        "POSTGRES_VECTOR_INDEX_TYPE": "HNSW" if settings.embedding.dim <= 2000 else "HNSW_HALFVEC",
    }


def _neo4j(settings: Settings) -> dict[str, str]:
    neo4j = settings.neo4j
    return {
        "NEO4J_URI": neo4j.uri,
        "NEO4J_USERNAME": neo4j.username,
        "NEO4J_PASSWORD": neo4j.password.get_secret_value(),
        "NEO4J_DATABASE": neo4j.database,
    }
