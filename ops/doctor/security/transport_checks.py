"""TLS on the way to each store, as settings ask for it."""

from urllib.parse import parse_qs, urlsplit

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.subject import Distance, Subject, distance_of
from shared.connections import broker_url

_POSTGRES = Reporter("doctor.security_postgres_tls")
_REDIS = Reporter("doctor.security_redis_tls")
_BROKER = Reporter("doctor.security_broker_tls")
_NEO4J = Reporter("doctor.security_neo4j_tls")


def check_postgres(subject: Subject) -> Finding:
    """Look at POSTGRES_SSLMODE."""
    postgres = subject.settings.postgres
    mode = postgres.sslmode
    if mode == "verify-full":
        return _POSTGRES.ok("PostgreSQL has to show a certificate for POSTGRES_HOST.")
    if mode in {"require", "verify-ca"} and distance_of(postgres.host) is not Distance.SAME_MACHINE:
        return _POSTGRES.warning(
            f"POSTGRES_SSLMODE={mode} encrypts, but another server could take PostgreSQL's place; "
            "set verify-full and POSTGRES_SSL_ROOT_CERT."
        )
    return _unencrypted(_POSTGRES, "PostgreSQL", postgres.host, "POSTGRES_SSLMODE=verify-full")


def check_redis(subject: Subject) -> Finding:
    """Look at REDIS_SSL."""
    redis = subject.settings.redis
    if redis.ssl:
        return _REDIS.ok("Redis has to show a certificate for REDIS_HOST.")
    return _unencrypted(_REDIS, "Redis", redis.host, "REDIS_SSL=true")


def check_broker(subject: Subject) -> Finding:
    """Look at BROKER_URL, or what it is by default."""
    url = urlsplit(broker_url(subject.settings))
    if url.scheme == "rediss":
        if parse_qs(url.query).get("ssl_cert_reqs", ["required"])[-1] not in {
            "required",
            "CERT_REQUIRED",
        }:
            return _BROKER.error(
                "BROKER_URL asks for TLS and looks at no certificate; take ssl_cert_reqs out."
            )
        return _BROKER.ok("The broker has to show a certificate.")
    return _unencrypted(_BROKER, "The broker", url.hostname or "", "a BROKER_URL with rediss://")


def check_neo4j(subject: Subject) -> Finding:
    """Look at NEO4J_URI."""
    url = urlsplit(subject.settings.neo4j.uri)
    if url.scheme.endswith("+s"):
        return _NEO4J.ok("Neo4j has to show a certificate.")
    if url.scheme.endswith("+ssc"):
        return _NEO4J.warning(
            "NEO4J_URI takes any certificate (+ssc); use +s and NEO4J_SSL_CA_CERTS."
        )
    return _unencrypted(_NEO4J, "Neo4j", url.hostname or "", "a NEO4J_URI with neo4j+s://")


def _unencrypted(reporter: Reporter, server: str, host: str, wanted: str) -> Finding:
    distance = distance_of(host)
    if distance is Distance.SAME_MACHINE:
        return reporter.ok(f"{server} is {distance.value}.")
    if distance is Distance.ONE_LABEL:
        return reporter.warning(
            f"{server} is spoken to without TLS ({host}); that is fine between containers of one "
            f"host, and wrong over a network: set {wanted} there."
        )
    return reporter.error(
        f"{server} is spoken to over a network without TLS ({host}): passwords and documents can "
        f"be read on the way; set {wanted}."
    )
