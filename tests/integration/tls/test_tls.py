"""Every client speaks TLS as settings say, and what is wrong is said in one sentence."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from shared.connections import broker_url, ledger_url
from shared.contract.celery_sender import CelerySender
from shared.contract.names import QueueName
from shared.contract.payloads import Sweep
from shared.errors import AppError
from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.memory import MemoryObjectStore
from shared.probes import open_probes, run_probes
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings, load_settings
from tests.integration.migrate.conftest import opened
from tests.tls import Authority
from worker.beat import Celery  # the one that beat runs
from worker.celery_options import worker_options

Change = Callable[[dict[str, str], Authority], dict[str, str]]


def settings_of(variables: Mapping[str, str]) -> Settings:
    return load_settings(None, overrides=variables)


async def ledger(variables: Mapping[str, str]) -> None:
    settings = settings_of(variables)
    await asyncio.to_thread(migrate, ledger_url(settings))


async def storages(variables: Mapping[str, str]) -> None:
    async with opened(variables, DEFAULT_WORKSPACE) as rag:
        with translated_store_errors():
            await rag.full_docs.upsert({"d": {"content": "text"}})
            assert (await rag.full_docs.get_by_id("d"))["content"] == "text"


async def broker(variables: Mapping[str, str]) -> None:
    sender = CelerySender(broker_url(settings_of(variables)))
    try:
        await sender.send(Sweep())
        assert await sender.depth(QueueName.MAINTENANCE) == 1
    finally:
        await sender.close()


async def broker_by_its_depth(variables: Mapping[str, str]) -> None:
    sender = CelerySender(broker_url(settings_of(variables)))
    try:
        await sender.depth(QueueName.PREPARE)
    finally:
        await sender.close()


async def test_the_ledger_the_storages_and_the_broker_speak_tls(
    tls_variables: dict[str, str], own_environment: None
) -> None:
    for client in (ledger, storages, broker):
        await client(tls_variables)


async def test_probes_speak_tls(tls_variables: dict[str, str]) -> None:
    settings = settings_of(tls_variables)
    await ledger(tls_variables)
    opened_ledger = await Ledger.open(ledger_url(settings))
    sender = CelerySender(broker_url(settings))
    objects = MemoryObjectStore()
    async with open_probes(settings, ledger=opened_ledger, objects=objects, sender=sender) as found:
        results = await run_probes(found, timeout_s=30)
    await sender.close()
    await opened_ledger.close()
    assert {name: result.error_code for name, result in results.items()} == dict.fromkeys(results)


def test_the_schedule_is_kept_over_tls(tls_variables: dict[str, str]) -> None:
    from redbeat.schedulers import get_redis  # noqa: PLC0415 - of the worker tier alone

    settings = settings_of(tls_variables)
    with Celery("beat", broker=broker_url(settings), set_as_current=False) as app:
        app.conf.update(worker_options(settings))
        assert get_redis(app).ping()


def another_name(variables: dict[str, str], _another: Authority) -> dict[str, str]:
    return variables | {"POSTGRES_HOST": "127.0.0.1", "REDIS_HOST": "127.0.0.1"}


def another_authority_(variables: dict[str, str], another: Authority) -> dict[str, str]:
    trusted = str(another.file)
    return variables | {"POSTGRES_SSL_ROOT_CERT": trusted, "REDIS_SSL_CA_CERTS": trusted}


def without_tls(variables: dict[str, str], _another: Authority) -> dict[str, str]:
    weak = {"POSTGRES_SSLMODE": "disable", "POSTGRES_SSL_ROOT_CERT": "", "REDIS_SSL": "false"}
    return {**variables, **weak}


WRONG = [
    (ledger, another_name, "ledger_tls", "for another host name; check POSTGRES_HOST"),
    (ledger, another_authority_, "ledger_tls", "not trusted here; check POSTGRES_HOST"),
    (ledger, without_tls, "ledger_refused", "POSTGRES_USER, _PASSWORD, _DB and _SSLMODE"),
    (broker, another_name, "queue_tls", "for another host name; check BROKER_URL"),
    (broker_by_its_depth, another_authority_, "queue_tls", "not trusted here; check BROKER_URL"),
    (broker, without_tls, "queue_unavailable", ""),
]


@pytest.mark.long
@pytest.mark.parametrize(("client", "change", "code", "words"), WRONG)
async def test_what_is_wrong_is_said(
    tls_variables: dict[str, str],
    another_authority: Authority,
    client: Callable[[Mapping[str, str]], object],
    change: Change,
    code: str,
    words: str,
) -> None:
    with pytest.raises(AppError) as refused:
        await client(change(tls_variables, another_authority))  # type: ignore[misc] # they are coroutines
    assert refused.value.code == code
    assert words in refused.value.detail


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (another_name, "Redis shows a certificate that is for another host name"),
        (another_authority_, "Redis shows a certificate of an authority that is not trusted"),
        (without_tls, "REDIS_SSL"),
    ],
)
async def test_of_a_redis_it_is_said_too(
    tls_variables: dict[str, str],
    another_authority: Authority,
    own_environment: None,
    change: Change,
    words: str,
) -> None:
    changed = change(tls_variables, another_authority)
    ours = {name: value for name, value in changed.items() if name.startswith("REDIS_")}
    with pytest.raises(AppError) as refused:
        await storages(tls_variables | ours)
    assert words in refused.value.detail


async def test_require_encrypts_and_looks_at_no_certificate(
    tls_variables: dict[str, str], own_environment: None
) -> None:
    weak = {"POSTGRES_SSLMODE": "require", "POSTGRES_SSL_ROOT_CERT": ""}
    for client in (ledger, storages):
        await client({**tls_variables, **weak})
