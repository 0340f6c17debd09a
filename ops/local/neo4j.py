"""Neo4j Community as one supervised process, from jars that Maven fetched."""

import hashlib
import secrets
from pathlib import Path

from ops.local.errors import DataDirUnusableError, PasswordChangedError
from ops.local.neo4j_jars import java_program, neo4j_jars
from ops.local.ports import HOST
from ops.local.process import ChildSpec
from ops.local.service import Service

USER = "neo4j"  # the only one that Community makes by itself
DATABASE = "neo4j"
ANSWER_TIMEOUT_S = 2
_HASH_ROUNDS = 1024  # Neo4j's own number
_START_TIMEOUT_S = 120.0  # six seconds on an idle machine, and a crash may leave much to recover
_STOP_TIMEOUT_S = 30.0  # the checkpoint on a slow disk
CONFIGURATION = """\
server.bolt.listen_address={host}:{port}
server.bolt.advertised_address={host}:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=128m
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
db.tx_log.preallocate=false
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""
JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",  # the smallest: this is a heap for one person's documents
    "-XX:TieredStopAtLevel=1",  # half as long to start, and still 10,000 nodes a second
    "-XX:+ExitOnOutOfMemoryError",  # the supervisor starts it again
    "-Dfile.encoding=UTF-8",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)


class EmbeddedNeo4j:
    """A Neo4j server of our own on 127.0.0.1, its files in `data_dir`/neo4j."""

    def __init__(self, data_dir: Path, port: int, *, password: str) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.password = password
        self._files = self.data_dir / "neo4j"

    @property
    def uri(self) -> str:
        """The address, without user and password: its drivers take those apart."""
        return f"bolt://{HOST}:{self.port}"

    @property
    def public_url(self) -> str:
        """The same: there is no secret in it."""
        return self.uri

    def prepare(self) -> None:
        """Make the folders, the configuration and, before the first start, the user. Blocks.

        Raises:
            DataDirUnusableError: the path cannot be written into a configuration file.
            Neo4jMissingError: Java or the server's files are missing.
        """
        if any(mark in str(self._files) for mark in ("\\", "\n", ":", "*")):
            raise DataDirUnusableError(f"DATA_DIR {self.data_dir} has a mark in it Java stops at.")
        java_program()
        neo4j_jars()
        for name in ("conf", "data/dbms", "tmp"):
            (self._files / name).mkdir(parents=True, exist_ok=True)
        self._files.chmod(0o700)
        configuration = CONFIGURATION.format(host=HOST, port=self.port)
        (self._files / "conf" / "neo4j.conf").write_text(configuration)
        if not (self._files / "data" / "databases").exists():
            self._write_user()

    def _write_user(self) -> None:
        """Do what `neo4j-admin dbms set-initial-password` does, whose argument all could read."""
        salt = secrets.token_bytes(32)
        digest = hashlib.sha256(salt + self.password.encode()).digest()
        for _ in range(_HASH_ROUNDS - 1):
            digest = hashlib.sha256(digest).digest()
        path = self._files / "data" / "dbms" / "auth.ini"
        path.touch(mode=0o600)
        path.write_text(f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{_HASH_ROUNDS}:\n")

    def child(self) -> ChildSpec:
        """How to run the server; call `prepare` before every start.

        Raises:
            Neo4jMissingError: Java or the server's files are missing.
        """
        temporary = self._files / "tmp"
        return ChildSpec(
            name="neo4j",
            argv=(
                str(java_program()),
                *JAVA_OPTIONS,
                f"-Djava.io.tmpdir={temporary}",
                f"-Djna.tmpdir={temporary}",
                "-cp",
                f"{neo4j_jars()}/*",
                "org.neo4j.server.CommunityEntryPoint",
                f"--home-dir={self._files}",
                f"--config-dir={self._files / 'conf'}",
                "--console-mode",  # else it says nothing where the supervisor looks
            ),
            log_path=self.data_dir / "logs" / "neo4j.log",
            cwd=self._files,
            environment={"LC_ALL": "C.UTF-8"},
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    def service(self) -> Service:
        """The server as a service of the supervisor."""
        return Service(
            name="neo4j",
            prepare=self._prepared_child,
            ready=self.ready,
            port=self.port,
            url=self.public_url,
            start_timeout_s=_START_TIMEOUT_S,
        )

    def _prepared_child(self) -> ChildSpec:
        self.prepare()
        return self.child()

    async def ready(self) -> bool:
        """Whether the server answers and its database is open.

        Raises:
            PasswordChangedError: the server was set up with another password.
        """
        from neo4j import AsyncGraphDatabase, exceptions  # noqa: PLC0415 - 60 MB for Neo4j alone

        driver = AsyncGraphDatabase.driver(
            self.uri,
            auth=(USER, self.password),
            connection_timeout=ANSWER_TIMEOUT_S,
            connection_acquisition_timeout=ANSWER_TIMEOUT_S,
            max_transaction_retry_time=0,
        )
        async with driver:
            try:
                await driver.execute_query("RETURN 1", database_=DATABASE)
            except exceptions.AuthError:
                raise PasswordChangedError from None
            except (exceptions.DriverError, exceptions.Neo4jError):
                return False  # not there, or its database is still being opened
        return True
