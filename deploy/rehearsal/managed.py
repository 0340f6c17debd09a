"""Stand-ins for AWS's stores and Aura: outside the compose project, with TLS alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.rehearsal.commands import RehearsalError, run
from deploy.rehearsal.installation import Installation

_DOMAIN = "managed.example"
_PREFIX = "ragfleet-rehearsal-managed-"
_READY_TIMEOUT_S = 120
_POLL_S = 0.3
# In the containers of the tiers, by docker-compose.aws.yml.
_AUTHORITY = "/run/secrets/postgres_authorities"

SETTINGS = {
    "REDIS_HOST": f"redis.{_DOMAIN}",
    "POSTGRES_HOST": f"postgres.{_DOMAIN}",
    "NEO4J_URI": f"neo4j+s://neo4j.{_DOMAIN}",
    "POSTGRES_SSL_ROOT_CERT": "./managed/authority.pem",
    # Those of AWS and Aura are known to every image; these have to be told of ours.
    "REDIS_SSL_CA_CERTS": _AUTHORITY,
    "SSL_CERT_FILE": _AUTHORITY,
    # Nothing here stands in for S3: uploads stay in the volume.
    "OBJECT_STORE": "local",
}


@dataclass(frozen=True)
class _Store:
    """A server that takes nothing but TLS. A key is read by the server's own user alone."""

    name: str
    """Of its image, too."""
    script: str
    ready: str
    files: dict[str, str]
    """What it gets of the tree, and where: single files, for it has a user of its own."""
    options: tuple[str, ...] = ()


_STORES = (
    _Store(
        "redis",
        script="""
install -o redis -m 600 /managed/key.pem /tmp/key.pem
exec docker-entrypoint.sh redis-server --port 0 --tls-port 6379 --tls-auth-clients no \
  --tls-cert-file /managed/certificate.pem --tls-key-file /tmp/key.pem \
  --tls-ca-cert-file /managed/authority.pem --maxmemory-policy noeviction --appendonly yes \
  --requirepass "$(cat /secrets/redis_password)"
""",
        ready="""
REDISCLI_AUTH="$(cat /secrets/redis_password)" \
  redis-cli --tls --cacert /managed/authority.pem ping | grep PONG
""",
        files={"secrets/redis_password": "/secrets/redis_password"},
        options=("--network-alias", f"redis.{_DOMAIN}"),
    ),
    _Store(
        "postgres",
        script="exec docker-entrypoint.sh postgres",  # see _TERMINATOR
        ready="pg_isready --quiet --host 127.0.0.1 --username lightrag --dbname lightrag",
        files={
            "secrets/postgres_password": "/secrets/postgres_password",
            "scripts/init_postgres.sql": "/docker-entrypoint-initdb.d/10-init.sql",
        },
        options=(
            *("--env", "POSTGRES_USER=lightrag", "--env", "POSTGRES_DB=lightrag"),
            *("--env", "POSTGRES_PASSWORD_FILE=/secrets/postgres_password"),
        ),
    ),
    _Store(
        "neo4j",
        script="""
install -d -o neo4j /tmp/bolt
install -o neo4j -m 600 /managed/key.pem /tmp/bolt/private.key
install -o neo4j -m 644 /managed/certificate.pem /tmp/bolt/public.crt
exec /startup/docker-entrypoint.sh neo4j
""",
        ready="wget -q -O /dev/null http://127.0.0.1:7474/",  # it listens to Bolt before that
        files={"secrets/neo4j_auth": "/secrets/neo4j_auth"},
        options=(
            *("--network-alias", f"neo4j.{_DOMAIN}"),
            *("--env", "NEO4J_AUTH_PATH=/secrets/neo4j_auth"),
            *("--env", "NEO4J_server_memory_heap_max__size=512M"),
            *("--env", f"NEO4J_server_bolt_advertised__address=neo4j.{_DOMAIN}:7687"),
            *("--env", "NEO4J_server_bolt_tls__level=REQUIRED"),
            *("--env", "NEO4J_dbms_ssl_policy_bolt_enabled=true"),
            *("--env", "NEO4J_dbms_ssl_policy_bolt_base__directory=/tmp/bolt"),
        ),
    ),
)

# The stand-in of PostgreSQL was built without TLS. This is what the tiers know by its name.
_TERMINATOR = _Store(
    "worker-extract",  # any image with Python
    script=f"exec python /program.py {_PREFIX}postgres /managed/certificate.pem /managed/key.pem",
    ready="exec python -c 'import socket; socket.create_connection((\"127.0.0.1\", 5432))'",
    files={"deploy/rehearsal/terminator.py": "/program.py"},
    options=("--user", "0:0", "--network-alias", f"postgres.{_DOMAIN}"),
)
_ALL = (*_STORES, _TERMINATOR)


@contextmanager
def stores_elsewhere(
    installation: Installation, *, images: dict[str, str], network: str
) -> Iterator[None]:
    """Run them until the end; they are ready when this begins.

    Args:
        installation: has the passwords.
        images: the image of each, by its name.
        network: where the tiers can reach them.

    Raises:
        RehearsalError: one does not start.
    """
    _make_certificates(installation.folder / "managed")
    # First the networks: that one of them leads to the stores is what the VPC does on AWS.
    installation.compose("up", "--no-start", "--no-build")
    names = [_PREFIX + store.name for store in _ALL]
    _remove(installation, names)
    try:
        for store in _ALL:
            _start(installation, store, images[store.name], network)
        for store in _ALL:
            _wait(installation, store)
        yield
    finally:
        _remove(installation, names)


def _remove(installation: Installation, names: list[str]) -> None:
    installation.engine.docker("rm", "--force", "--volumes", *names)


def _start(installation: Installation, store: _Store, image: str, network: str) -> None:
    mounts = [
        word
        for source, target in ({"managed": "/managed"} | store.files).items()
        for word in ("--volume", f"{installation.folder / source}:{target}:ro")
    ]
    installation.engine.docker(
        *("run", "--detach", "--name", _PREFIX + store.name, "--network", network),
        *(*mounts, *store.options),
        *("--entrypoint", "/bin/sh", image, "-ec", store.script),
    )


def _wait(installation: Installation, store: _Store) -> None:
    name = _PREFIX + store.name
    until = time.monotonic() + _READY_TIMEOUT_S
    while True:
        try:
            installation.engine.docker("exec", name, "/bin/sh", "-c", store.ready)
        except RehearsalError as error:
            if time.monotonic() > until:
                log = installation.engine.docker("logs", "--tail", "30", name)
                raise RehearsalError(f"{error}\n{log}") from None
            time.sleep(_POLL_S)
        else:
            return


def _make_certificates(folder: Path) -> None:
    folder.mkdir()
    names = ",".join(f"DNS:{store.name}.{_DOMAIN}" for store in _STORES)
    authority, key = folder / "authority.pem", folder / "authority.key"
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    run([*new, "-subj", "/CN=rehearsal", "-keyout", key, "-out", authority])
    of_authority = ("-CA", authority, "-CAkey", key)
    run(
        [
            *(*new, *of_authority, "-subj", f"/CN={_DOMAIN}"),
            *(
                "-addext",
                f"subjectAltName={names}",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ),
            *("-keyout", folder / "key.pem", "-out", folder / "certificate.pem"),
        ]
    )
