"""All checks of security, settings first, then servers that answer, the bucket, and AWS."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ops.doctor.ground import Ground, open_ground
from ops.doctor.report import Finding, Reporter
from ops.doctor.security import (
    account_checks,
    bucket_checks,
    cluster_checks,
    door_checks,
    forcing_checks,
    secret_checks,
    server_checks,
    transport_checks,
)
from ops.doctor.security.asking import NotAnsweredError, answered, not_checked
from ops.doctor.security.store_groups import groups_of_stores
from ops.doctor.security.subject import Subject, read_env_file
from ops.settings_in_use import settings_in_use
from shared.errors import AppError
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings, inherited_environment

_OF_CLUSTER = (
    account_checks.TRAIL,
    account_checks.GUARDDUTY,
    cluster_checks.WAF,
    cluster_checks.TASKS,
    cluster_checks.GROUPS,
    cluster_checks.SECRETS,
)
_OF_SERVERS = (
    ("postgres_forces_tls", forcing_checks.check_postgres_forces_tls),
    ("redis_forces_tls", forcing_checks.check_redis_forces_tls),
    ("postgres_role", server_checks.check_postgres_role),
    ("redis_password", server_checks.check_redis_password),
    ("redis_commands", server_checks.check_redis_commands),
)


async def examine_security(
    settings: Settings, *, cluster: str | None, env_file: Path = Path(".env")
) -> tuple[list[Finding], list[str]]:
    """Make all checks; nothing is changed, and no secret is shown.

    Args:
        settings: of the installation.
        cluster: the ECS cluster to look at; None: AWS is not asked.
        env_file: what settings were read from, if it is there.

    Returns:
        What was found, and what was repaired: never anything.

    Raises:
        SettingsError: they name no stores and no system of theirs runs, or the file is unreadable.
    """
    settings = settings_in_use(settings)
    file = await asyncio.to_thread(read_env_file, env_file)
    subject = Subject(settings, file, inherited_environment(), cluster)
    found = [
        secret_checks.check_passwords(subject),
        secret_checks.check_env_file(subject),
        secret_checks.check_secret_sources(subject),
        door_checks.check_api_key(subject),
        door_checks.check_api_address(subject),
        await door_checks.check_ports(subject),
        door_checks.check_flower(subject),
        door_checks.check_logs(subject),
    ]
    if subject.has_servers:
        found += [transport_checks.check_postgres(subject), transport_checks.check_redis(subject)]
        found.append(transport_checks.check_broker(subject))
        if settings.graph_in_neo4j:
            found.append(transport_checks.check_neo4j(subject))
        found += await _servers(settings)
    found += await _bucket(settings)
    found += await asyncio.to_thread(_aws, subject)
    return found, []


async def _servers(settings: Settings) -> list[Finding]:
    async with open_ground(settings) as ground:
        return [await _one(f"doctor.security_{code}", check, ground) for code, check in _OF_SERVERS]


async def _one(code: str, check: Callable[[Ground], Awaitable[Finding]], ground: Ground) -> Finding:
    try:
        with translated_store_errors():
            return await check(ground)
    except AppError as error:  # `ragfleet doctor` says what is wrong with the server
        return not_checked(Reporter(code), f"the server does not answer ({error.code})")


async def _bucket(settings: Settings) -> list[Finding]:
    is_used = settings.storage.object_store == "s3"
    try:
        return await asyncio.to_thread(bucket_checks.check_bucket, settings.s3, is_used=is_used)
    except AppError as error:  # an address that is none, a profile that is not there
        reason = error.detail.rstrip(".")
        return [not_checked(one, reason) for one in bucket_checks.REPORTERS]


def _aws(subject: Subject) -> list[Finding]:
    if subject.cluster is None:
        reason = "no cluster was named; say --aws-cluster NAME where the fleet runs on ECS"
        return [not_checked(one, reason) for one in _OF_CLUSTER]
    found = [
        answered(account_checks.TRAIL, account_checks.check_trail),
        answered(account_checks.GUARDDUTY, account_checks.check_guardduty),
    ]
    try:
        cluster = cluster_checks.read_cluster(subject.cluster)
    except NotAnsweredError as error:
        return found + [not_checked(one, str(error).rstrip(".")) for one in _OF_CLUSTER[2:]]
    return [
        *found,
        answered(cluster_checks.WAF, lambda: cluster_checks.check_waf(cluster)),
        answered(cluster_checks.TASKS, lambda: cluster_checks.check_tasks(cluster)),
        answered(
            cluster_checks.GROUPS,
            lambda: cluster_checks.check_groups(cluster, *groups_of_stores(subject.settings)),
        ),
        answered(cluster_checks.SECRETS, lambda: cluster_checks.check_secrets(cluster)),
    ]
