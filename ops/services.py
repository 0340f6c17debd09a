"""The services of a local system: servers of our own, API, worker, beat and Flower."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ops.flower import flower_variables
from ops.local import neo4j
from ops.local.neo4j import EmbeddedNeo4j
from ops.local.ports import HOST
from ops.local.postgres import EmbeddedPostgres
from ops.local.process import ChildSpec
from ops.local.readiness import accepts_connections, answers_http
from ops.local.service import Ground, Service
from ops.local.valkey import EmbeddedValkey
from shared.connections import broker_url, ledger_url
from shared.ledger.migrate import migrate
from shared.settings import Settings, inherited_environment, load_settings
from worker.celery_options import DRAIN_S

# A worker drains, cancels what is left and closes its stores.
_STOP_S = DRAIN_S + 20.0


@dataclass(frozen=True)
class _Home:
    """Where a local system's data lies: each kind of graph has a ledger and stores of its own.

    One ledger for both would list documents that the other graph has never seen.
    """

    database: str
    uploads: str
    redis_database: int

    @property
    def broker_database(self) -> int:
        return self.redis_database + 1


_TABLES = _Home(database="lightrag", uploads="embedded", redis_database=0)
_NEO4J = _Home(database="lightrag_neo4j", uploads="embedded-neo4j", redis_database=2)
_USER = "lightrag"


def embedded_services(settings: Settings, ground: Ground) -> Sequence[Service]:
    """Compose servers of our own and everything on them; Neo4j only when settings name none.

    Args:
        settings: of the person who starts the system; they choose the graph.
        ground: what it runs on.
    """
    home = _home_of(settings)
    postgres = EmbeddedPostgres(
        ground.data_dir,
        ground.ports["postgres"],
        user=_USER,
        password=ground.credentials.postgres_password,
        database=home.database,
    )
    servers = [postgres.service(), _valkey(ground).service()]
    if "neo4j" in ground.ports:
        servers.append(_neo4j(ground).service())
    variables = embedded_variables(settings, ground)
    # The same variables our processes get, so that both sides surely mean the same servers.
    pointed = load_settings(overrides=variables)
    names = tuple(server.name for server in servers)
    return [*servers, *fleet_services(pointed, variables, names, ground)]


def embedded_variables(settings: Settings, ground: Ground) -> dict[str, str]:
    """Return what points a process at the servers of a local system.

    Args:
        settings: of the person who started the system.
        ground: what it runs on.
    """
    home = _home_of(settings)
    broker_url = _valkey(ground).url(home.broker_database)
    variables = _server_variables(ground, home, broker_url=broker_url)
    # As DATA_DIR: one ledger's cleaner removes uploads that only the other one knows.
    variables["S3_PREFIX"] = f"{settings.s3.prefix}{home.uploads}"
    if "neo4j" in ground.ports:
        variables |= _neo4j_variables(_neo4j(ground))
    return variables


def _home_of(settings: Settings) -> _Home:
    return _NEO4J if settings.storage.graph_storage == "Neo4JStorage" else _TABLES


def _valkey(ground: Ground) -> EmbeddedValkey:
    password = ground.credentials.valkey_password
    return EmbeddedValkey(ground.data_dir, ground.ports["valkey"], password=password)


def _neo4j(ground: Ground) -> EmbeddedNeo4j:
    password = ground.credentials.neo4j_password
    return EmbeddedNeo4j(ground.data_dir, ground.ports["neo4j"], password=password)


def _server_variables(ground: Ground, home: _Home, *, broker_url: str) -> dict[str, str]:
    """Point our processes at the embedded servers, with the names any external server has."""
    return {
        "USE_EXTERNAL_STORAGE": "true",
        # Uploads apart from those of other ledgers that DATA_DIR may serve at other times.
        "DATA_DIR": str(ground.data_dir / home.uploads),
        "KV_STORAGE": "RedisKVStorage",
        "VECTOR_STORAGE": "PGVectorStorage",
        "GRAPH_STORAGE": "Neo4JStorage" if home is _NEO4J else "PGTableGraphStorage",
        "POSTGRES_HOST": HOST,
        "POSTGRES_PORT": str(ground.ports["postgres"]),
        "POSTGRES_DB": home.database,
        "POSTGRES_USER": _USER,
        "POSTGRES_PASSWORD": ground.credentials.postgres_password,
        "POSTGRES_SSLMODE": "disable",  # loopback, and the embedded server has no certificate
        "REDIS_HOST": HOST,
        "REDIS_PORT": str(ground.ports["valkey"]),
        "REDIS_DB": str(home.redis_database),
        "REDIS_SSL": "false",
        "REDIS_USERNAME": "default",  # Redis's own name; an empty one would be that of a .env file
        "REDIS_PASSWORD": ground.credentials.valkey_password,
        # Said in full: an empty one would let the .env file name somebody else's broker.
        "BROKER_URL": broker_url,
    }


def _neo4j_variables(server: EmbeddedNeo4j) -> dict[str, str]:
    return {
        "NEO4J_URI": server.uri,
        "NEO4J_USERNAME": neo4j.USER,
        "NEO4J_PASSWORD": server.password,
        "NEO4J_DATABASE": neo4j.DATABASE,
    }


def fleet_services(
    settings: Settings,
    variables: Mapping[str, str],
    server_names: tuple[str, ...],
    ground: Ground,
) -> Sequence[Service]:
    """Our own processes over PostgreSQL and Redis, wherever those run."""
    environment = _environment(ground, variables)
    api = _api_service(
        ground,
        environment,
        module="api",
        depends_on=server_names,
        before=partial(migrate, ledger_url(settings)),
    )
    worker = _worker_service(ground, environment, name="worker", module="worker")
    beat = _worker_service(ground, environment, name="beat", module="worker.beat")
    return [api, worker, beat, _flower_service(ground, environment, broker_url(settings))]


def files_services(ground: Ground) -> Sequence[Service]:
    """Compose the one process of files mode."""
    environment = _environment(ground, {"USE_EXTERNAL_STORAGE": "false"})
    return [_api_service(ground, environment, module="ops.files_mode", depends_on=())]


def _environment(ground: Ground, more: Mapping[str, str]) -> dict[str, str]:
    return {
        **inherited_environment(),
        "DATA_DIR": str(ground.data_dir),
        "API_PORT": str(ground.ports["api"]),
        **more,
    }


def _python(
    ground: Ground, environment: Mapping[str, str], *, name: str, arguments: tuple[str, ...]
) -> ChildSpec:
    return ChildSpec(
        name=name,
        # -P: a folder `api` or `worker` of the person's own must not be taken for ours.
        argv=(sys.executable, "-P", "-m", *arguments),
        log_path=ground.logs / f"{name}.log",
        cwd=Path.cwd(),  # where the person's .env is
        environment=environment,
        stop_timeout_s=_STOP_S,
    )


def _api_service(
    ground: Ground,
    environment: Mapping[str, str],
    *,
    module: str,
    depends_on: tuple[str, ...],
    before: Callable[[], None] = lambda: None,
) -> Service:
    port = ground.ports["api"]

    def prepare() -> ChildSpec:
        before()
        return _python(ground, environment, name="api", arguments=(module,))

    return Service(
        name="api",
        prepare=prepare,
        ready=partial(answers_http, port, "/livez"),
        depends_on=depends_on,
        port=port,
        url=f"http://{HOST}:{port}",
    )


def _worker_service(
    ground: Ground, environment: Mapping[str, str], *, name: str, module: str
) -> Service:
    """A process without a port: it is ready when it runs, and ends when it cannot."""
    return Service(
        name=name,
        prepare=lambda: _python(ground, environment, name=name, arguments=(module,)),
        ready=_at_once,
        depends_on=("api",),  # which brings the ledger's tables up to date
    )


async def _at_once() -> bool:
    return True


def _flower_service(ground: Ground, environment: Mapping[str, str], broker: str) -> Service:
    port = ground.ports["flower"]
    credentials = ground.credentials
    variables = flower_variables(
        broker=broker,
        host=HOST,
        port=port,
        user=credentials.flower_user,
        password=credentials.flower_password,
    )
    return Service(
        name="flower",
        prepare=lambda: _python(
            ground, {**environment, **variables}, name="flower", arguments=("celery", "flower")
        ),
        ready=partial(accepts_connections, port),
        depends_on=("api",),
        port=port,
        url=f"http://{HOST}:{port}",
    )
