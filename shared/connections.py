"""Addresses of the servers, built from settings; the only place where a password meets a URL."""

from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from sqlalchemy import URL

from shared.settings import Settings
from shared.settings_sections import PostgresSettings, RedisSettings


def ledger_url(settings: Settings) -> URL:
    """Return SQLAlchemy's URL of the ledger: PostgreSQL, or a SQLite file in files mode."""
    if not settings.external:
        return URL.create("sqlite+aiosqlite", database=str(settings.storage.data_dir / "ledger.db"))
    postgres = settings.postgres
    return URL.create(
        "postgresql+asyncpg",
        username=postgres.user,
        password=postgres.password.get_secret_value(),
        host=postgres.host,
        port=postgres.port,
        database=postgres.db,
        query=_ssl_query(postgres),
    )


def redis_url(redis: RedisSettings) -> str:
    """Return the URL of the key-value Redis."""
    return _redis_url(redis, database=redis.db)


def broker_url(settings: Settings) -> str:
    """Return the broker's URL: BROKER_URL, or the database after REDIS_DB on the same server."""
    redis = settings.redis
    if named := settings.broker.url.get_secret_value():
        return _with_tls(named, redis)
    return _redis_url(redis, database=redis.db + 1)


def shared_redis_url(settings: Settings) -> str | None:
    """Return the Redis in which the processes of a fleet agree; None where there is only one."""
    return broker_url(settings) if settings.external else None


def _redis_url(redis: RedisSettings, *, database: int) -> str:
    user = quote(redis.username, safe="")
    password = redis.password.get_secret_value()
    credentials = f"{user}:{quote(password, safe='')}@" if password or user else ""
    scheme = "rediss" if redis.ssl else "redis"
    url = f"{scheme}://{credentials}{redis.host}:{redis.port}/{database}"
    return _with_tls(url, redis)


def _with_tls(url: str, redis: RedisSettings) -> str:
    """Say in a rediss:// URL whom to trust; every client reads it there, LightRAG's and Celery's.

    Without a word about certificates Celery would take any, from whomever.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return url
    query = {"ssl_cert_reqs": "required"}
    if redis.ssl_ca_certs:
        query["ssl_ca_certs"] = str(redis.ssl_ca_certs)
    query |= {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return parts._replace(query=urlencode(query)).geturl()


def _ssl_query(postgres: PostgresSettings) -> dict[str, Any]:
    # libpq's names; asyncpg calls the first one `ssl`. See shared/ledger/postgres_engine.py.
    query: dict[str, Any] = {"ssl": postgres.sslmode}
    if postgres.ssl_root_cert:
        query["sslrootcert"] = str(postgres.ssl_root_cert)
    return query
