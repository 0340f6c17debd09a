"""After a move: which settings make a fleet, or a stock lightrag-server, use the new stores."""

from dataclasses import dataclass

from shared.ids import PhysicalWorkspace
from shared.rag.engine import storage_names
from shared.rag.models import embedding_name
from shared.settings import Settings


@dataclass(frozen=True)
class Switch:
    """Settings by name, none of which is a secret."""

    fleet: dict[str, str]
    """For this system."""
    stock: dict[str, str]
    """For `lightrag-server`; what is secret is added by whoever has it."""


def switch_to(settings: Settings, physical: PhysicalWorkspace) -> Switch:
    """Say how to use a workspace of an installation.

    Args:
        settings: of the installation.
        physical: the workspace's name in its stores.
    """
    names = storage_names(settings)
    is_in_files = names.kv == "JsonKVStorage"
    embedding = {
        "EMBEDDING_MODEL": embedding_name(settings),
        "EMBEDDING_DIM": str(settings.embedding.dim),
    }
    stock = {
        "LIGHTRAG_KV_STORAGE": names.kv,
        "LIGHTRAG_VECTOR_STORAGE": names.vector,
        "LIGHTRAG_GRAPH_STORAGE": names.graph,
        "LIGHTRAG_DOC_STATUS_STORAGE": names.doc_status,
        "WORKSPACE": physical,
        **embedding,
    }
    if is_in_files:
        folder = settings.storage.data_dir.absolute()
        fleet = {"USE_EXTERNAL_STORAGE": "false", "DATA_DIR": str(folder), **embedding}
        return Switch(fleet, {**stock, "WORKING_DIR": str(folder / "rag")})
    servers = _servers(settings)
    storages = {
        "KV_STORAGE": names.kv,
        "VECTOR_STORAGE": names.vector,
        "GRAPH_STORAGE": names.graph,
    }
    fleet = {"USE_EXTERNAL_STORAGE": "true", **storages, **servers, **embedding}
    return Switch(fleet, {**stock, **_as_stock_writes_them(servers)})


def _servers(settings: Settings) -> dict[str, str]:
    postgres, redis, neo4j = settings.postgres, settings.redis, settings.neo4j
    found = {
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_DB": postgres.db,
        "POSTGRES_USER": postgres.user,
        "POSTGRES_SSLMODE": postgres.sslmode,
        "REDIS_HOST": redis.host,
        "REDIS_PORT": str(redis.port),
        "REDIS_DB": str(redis.db),
    }
    if settings.graph_in_neo4j:
        # What stands before an @ may be somebody's password.
        scheme, _, place = neo4j.uri.rpartition("://")
        found |= {
            "NEO4J_URI": f"{scheme}://{place.rpartition('@')[2]}",
            "NEO4J_USERNAME": neo4j.username,
            "NEO4J_DATABASE": neo4j.database,
        }
    return found


def _as_stock_writes_them(servers: dict[str, str]) -> dict[str, str]:
    others = {"POSTGRES_DB": "POSTGRES_DATABASE", "POSTGRES_SSLMODE": "POSTGRES_SSL_MODE"}
    found = {
        others.get(name, name): value
        for name, value in servers.items()
        if not name.startswith("REDIS_")
    }
    address = f"{servers['REDIS_HOST']}:{servers['REDIS_PORT']}/{servers['REDIS_DB']}"
    return {**found, "REDIS_URI": f"redis://{address}"}
