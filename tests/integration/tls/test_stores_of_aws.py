"""A folder moves into stores as AWS and Neo4j Aura offer them: TLS, and less rights than at home.

ElastiCache blocks CONFIG and knows users; Aurora's users are no superusers; Aura has one database.
"""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from neo4j import GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError
from redis.asyncio import Redis
from sqlalchemy import make_url

from ops.local.neo4j import EmbeddedNeo4j
from ops.local.ports import free_port
from ops.migrate.archive_places import ArchiveFile
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource
from shared.rag.neo4j_driver import address_of
from shared.settings import load_settings
from tests.integration.migrate.conftest import command
from tests.integration.migrate.test_moving_a_folder import items_of
from tests.services import make_database, run, start
from tests.tls import HOST, Authority

NEO4J_TLS = """\
server.bolt.tls_level=REQUIRED
server.bolt.advertised_address={host}:{port}
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory=certificates
dbms.ssl.policy.bolt.private_key=key.pem
dbms.ssl.policy.bolt.public_certificate=chain.pem
dbms.ssl.policy.bolt.client_auth=NONE
"""
pytestmark = pytest.mark.long


class TlsNeo4j(EmbeddedNeo4j):
    """One that speaks nothing but TLS."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, free_port(), password=secrets.token_hex(8))
        self._authority = authority

    def prepare(self) -> None:
        super().prepare()
        certificates = self._files / "certificates"
        certificates.mkdir(exist_ok=True)
        shutil.copy(self._authority.chain, certificates / "chain.pem")
        shutil.copy(self._authority.key, certificates / "key.pem")
        path = self._files / "conf" / "neo4j.conf"
        lines = [line for line in path.read_text().splitlines() if "advertised" not in line]
        more = NEO4J_TLS.format(host=HOST, port=self.port)
        path.write_text("\n".join(lines) + "\n" + more)

    async def ready(self) -> bool:
        return await asyncio.to_thread(self._answers)

    def _answers(self) -> bool:
        # Asyncio's driver says goodbye in the background, after this event loop is gone.
        neo4j = load_settings(None, overrides=self.variables("bolt+s")).neo4j
        uri, options = address_of(neo4j)
        with GraphDatabase.driver(uri, **options, auth=(neo4j.username, self.password)) as driver:
            try:
                driver.execute_query("RETURN 1", database_="neo4j")
            except (DriverError, Neo4jError):
                return False
        return True

    def variables(self, scheme: str) -> dict[str, str]:
        return {
            "USE_EXTERNAL_STORAGE": "true",
            "GRAPH_STORAGE": "Neo4JStorage",
            "NEO4J_URI": f"{scheme}://{HOST}:{self.port}",
            "NEO4J_PASSWORD": self.password,
            "NEO4J_SSL_CA_CERTS": str(self._authority.file),
        }


@pytest.fixture(scope="module")
def tls_neo4j(authority: Authority, servers_folder: Path) -> Iterator[TlsNeo4j]:
    server = TlsNeo4j(servers_folder / "tls", authority)
    child = run(start(server))
    yield server
    run(child.stop())


@pytest.fixture
async def variables(
    tls_variables: dict[str, str], tls_neo4j: TlsNeo4j, valkey_url: str, postgres_url: str
) -> AsyncIterator[dict[str, str]]:
    """A database of a user without rights beyond it, and a user of Redis who may not CONFIG."""
    database = await make_database(postgres_url)
    name = make_url(database).database
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'of aurora'")
    await connection.execute(f"ALTER DATABASE {name} OWNER TO {name}")
    async with Redis.from_url(valkey_url) as redis:
        await redis.execute_command(
            "ACL", "SETUSER", "app", "on", ">elasti", "~*", "&*", "+@all", "-config"
        )
    yield (
        tls_variables
        | tls_neo4j.variables("neo4j+s")
        | {
            "TASK_LEASE_S": "20",  # a cold Neo4j on a busy machine needs seconds
            "POSTGRES_DB": str(name),
            "POSTGRES_USER": str(name),
            "POSTGRES_PASSWORD": "of aurora",
            "REDIS_USERNAME": "app",
            "REDIS_PASSWORD": "elasti",
        }
    )
    async with Redis.from_url(valkey_url) as redis:
        await redis.execute_command("ACL", "DELUSER", "app")
    await connection.close()


@pytest.mark.timeout(1200)
async def test_a_folder_moves_there_and_out_again(
    stock_folder: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    ragfleet = command(variables, timeout_s=600)
    archive = tmp_path / "out.ragfleet"
    for words in (
        ("--from", f"folder:{stock_folder}", "--to", "settings", "-w", "moved"),
        ("--from", "settings", "-w", "moved", "--to", f"archive:{archive}"),
    ):
        done = ragfleet("migrate", *words)
        assert done.returncode == 0, done.stdout + done.stderr
    source = FolderSource.in_folder(stock_folder, "")
    assert await items_of(ArchiveSource(ArchiveFile(archive))) == await items_of(source)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("another authority", "store_tls", "Neo4j shows a certificate of an authority that"),
        ("another name", "store_tls", "Neo4j shows a certificate that is for another host name"),
        ("no TLS", "store_unavailable", "check NEO4J_URI and NEO4J_SSL_CA_CERTS"),
        ("another database", "store_refused", "NEO4J_DATABASE"),
    ],
)
def test_what_is_wrong_with_a_neo4j_is_said(
    stock_folder: Path,
    variables: dict[str, str],
    another_authority: Authority,
    change: str,
    code: str,
    words: str,
) -> None:
    uri = variables["NEO4J_URI"]
    changes = {
        "another authority": {"NEO4J_SSL_CA_CERTS": str(another_authority.file)},
        "another name": {"NEO4J_URI": uri.replace(HOST, "127.0.0.1").replace("neo4j+s", "bolt+s")},
        "no TLS": {"NEO4J_URI": uri.replace("+s", "")},
        "another database": {"NEO4J_DATABASE": "a1b2c3d4"},
    }
    ragfleet = command(variables | changes[change])
    done = ragfleet(
        "migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "moved"
    )
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith(f"{code}: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert variables["NEO4J_PASSWORD"] not in done.stderr


async def test_without_the_right_to_create_an_extension_it_is_said_who_has_to(
    stock_folder: Path, variables: dict[str, str], postgres_url: str
) -> None:
    url = make_url(postgres_url).set(drivername="postgresql", database=variables["POSTGRES_DB"])
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await connection.execute("DROP EXTENSION vector")
    await connection.close()
    done = command(variables)(
        "migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "moved"
    )
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("extension_missing: ")
    assert "CREATE EXTENSION vector" in done.stderr
