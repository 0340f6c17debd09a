"""After a move: which settings make a fleet, or a stock lightrag-server, use the new stores."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from shared.ids import PhysicalWorkspace
from shared.rag.engine import storage_names
from shared.rag.environment import server_variables
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
    fleet = {
        "USE_EXTERNAL_STORAGE": "true",
        "KV_STORAGE": names.kv,
        "VECTOR_STORAGE": names.vector,
        "GRAPH_STORAGE": names.graph,
        **_servers(settings),
        **embedding,
    }
    return Switch(fleet, {**stock, **_servers_of_stock(settings)})


def _servers(settings: Settings) -> dict[str, str]:
    postgres, redis, neo4j, s3 = settings.postgres, settings.redis, settings.neo4j, settings.s3
    found = {
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_DB": postgres.db,
        "POSTGRES_USER": postgres.user,
        "POSTGRES_SSLMODE": postgres.sslmode,
        "POSTGRES_SSL_ROOT_CERT": str(postgres.ssl_root_cert or ""),
        "REDIS_HOST": redis.host,
        "REDIS_PORT": str(redis.port),
        "REDIS_DB": str(redis.db),
        "REDIS_SSL": "true" if redis.ssl else "",
        "REDIS_USERNAME": redis.username,
        "REDIS_SSL_CA_CERTS": str(redis.ssl_ca_certs or ""),
    }
    if settings.graph_in_neo4j:
        found |= {
            "NEO4J_URI": _without_credentials(neo4j.uri),
            "NEO4J_USERNAME": neo4j.username,
            "NEO4J_DATABASE": neo4j.database,
            "NEO4J_SSL_CA_CERTS": str(neo4j.ssl_ca_certs or ""),
        }
    if settings.storage.object_store == "s3":
        found |= {
            "OBJECT_STORE": "s3",
            "S3_BUCKET": s3.bucket,
            "S3_PREFIX": s3.prefix,
            "S3_REGION": s3.region,
            "S3_ENDPOINT_URL": s3.endpoint_url,
        }
    return {name: value for name, value in found.items() if value}


def _servers_of_stock(settings: Settings) -> dict[str, str]:
    """Return what LightRAG's storages are told in our own processes, but for passwords."""
    found = {
        name: _without_credentials(value) if name.endswith("_URI") else value
        for name, value in server_variables(settings).items()
        if value and not name.endswith("PASSWORD")
    }
    if "POSTGRES_SSL_MODE" in found:
        del found["PGSSLMODE"]  # which then says nothing
    if settings.redis.password.get_secret_value():
        # Its password has no variable of its own, so its place is shown.
        user = quote(settings.redis.username, safe="")
        found["REDIS_URI"] = found["REDIS_URI"].replace("://", f"://{user}:PASSWORD@", 1)
    return found


def _without_credentials(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
