"""Security by settings alone: TLS by distance, ports by the kernel's table."""

import asyncio
import sys
from pathlib import Path

import pytest

from ops.doctor.report import Status
from ops.doctor.security import door_checks, transport_checks
from ops.doctor.security.bucket_checks import _denies_plain
from ops.doctor.security.subject import Distance, Subject, distance_of, read_env_file
from shared.settings import load_settings

SERVERS = {"USE_EXTERNAL_STORAGE": "true", "GRAPH_STORAGE": "Neo4JStorage"}


def subject(**variables: str) -> Subject:
    given = SERVERS | {"NEO4J_URI": "neo4j://localhost:7687"} | variables
    return Subject(load_settings(None, overrides=given), None, {})


@pytest.mark.parametrize(
    ("host", "distance"),
    [
        ("localhost", Distance.SAME_MACHINE),
        ("127.0.0.2", Distance.SAME_MACHINE),
        ("[::1]", Distance.SAME_MACHINE),
        ("postgres", Distance.ONE_LABEL),
        ("db.example.com", Distance.NETWORK),
        ("10.0.0.5", Distance.NETWORK),
        ("0.0.0.0", Distance.NETWORK),  # noqa: S104 - meant
    ],
)
def test_a_name_says_how_far_a_server_is(host: str, distance: Distance) -> None:
    assert distance_of(host) is distance


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", Status.OK), ("store", Status.WARNING), ("store.example.com", Status.ERROR)],
)
def test_without_tls_it_depends_on_the_distance(host: str, status: Status) -> None:
    far = subject(POSTGRES_HOST=host, REDIS_HOST=host, NEO4J_URI=f"bolt://{host}:7687")
    checks = (
        transport_checks.check_postgres,
        transport_checks.check_redis,
        transport_checks.check_broker,
        transport_checks.check_neo4j,
    )
    assert [check(far).status for check in checks] == [status] * 4


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("disable", Status.ERROR),
        ("prefer", Status.ERROR),
        ("require", Status.WARNING),
        ("verify-ca", Status.WARNING),
        ("verify-full", Status.OK),
    ],
)
def test_only_verify_full_is_fine_over_a_network(mode: str, status: Status) -> None:
    far = subject(POSTGRES_HOST="db.example.com", POSTGRES_SSLMODE=mode)
    assert transport_checks.check_postgres(far).status is status


def test_tls_that_looks_at_no_certificate_is_none() -> None:
    blind = subject(BROKER_URL="rediss://:x@redis.example.com:6379/1?ssl_cert_reqs=none")
    assert transport_checks.check_broker(blind).status is Status.ERROR
    seeing = subject(BROKER_URL="rediss://:x@redis.example.com:6379/1")
    assert transport_checks.check_broker(seeing).status is Status.OK
    any_certificate = subject(NEO4J_URI="neo4j+ssc://x.databases.neo4j.io")
    assert transport_checks.check_neo4j(any_certificate).status is Status.WARNING
    aura = subject(NEO4J_URI="neo4j+s://x.databases.neo4j.io")
    assert transport_checks.check_neo4j(aura).status is Status.OK


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is of this machine's order")
def test_ports_that_others_reach_are_read_from_the_kernels_table() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr\n"
        "   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00\n"  # 0.0.0.0:5432
        "   1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00\n"  # 127.0.0.1:6379
        "   2: 00000000:1E07 00000000:0000 01 00000000:00000000 00\n"  # connected, not listening
        "   3: 0000000000000000FFFF00000100007F:15B3 0000:0000 0A 00\n"  # ::ffff:127.0.0.1
        "   4: 00000000000000000000000000000000:1D32 0000:0000 0A 00\n"  # [::]:7474
    )
    assert door_checks.open_ports(table) == {5432, 7474}


async def test_a_port_that_is_really_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells")
    for host, status in (("127.0.0.1", Status.OK), ("0.0.0.0", Status.ERROR)):  # noqa: S104 - meant
        server = await asyncio.start_server(lambda _reader, _writer: None, host, 0)
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(door_checks, "_NEO4J", {})
        found = await door_checks.check_ports(
            subject(REDIS_PORT=str(port), POSTGRES_PORT=str(port), FLOWER_PORT=str(port))
        )
        server.close()
        await server.wait_closed()
        assert found.status is status


@pytest.mark.parametrize(
    ("statement", "denies"),
    [
        ({"Effect": "Deny", "Principal": "*", "Action": "s3:*",
          "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
        ({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
          "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
          "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"Effect": "Deny", "Principal": "*", "Action": "s3:*"}, False),
    ],
)  # fmt: skip
def test_a_policy_denies_all_or_it_does_not_count(
    statement: dict[str, object], denies: bool
) -> None:
    assert _denies_plain(statement) is denies


def test_no_file_of_settings_is_no_fault(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env") is None
