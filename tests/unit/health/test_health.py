"""What `ragfleet health` makes of answers, and of their absence."""

from typing import Any

import httpx

from ops.doctor.report import Status
from ops.health.api import ask_api
from ops.health.broker import judge_consumers
from shared.contract.names import QueueName

READY = {
    "status": "ready",
    "stores": {
        "ledger": {"ok": True, "needed": True, "error_code": None},
        "graph": {"ok": True, "needed": True, "error_code": None},
    },
}


async def asked(status: int, body: Any) -> dict[str, tuple[Status, str]]:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    found = await ask_api("http://api", transport=transport)
    return {one.code: (one.status, one.sentence) for one in found}


async def test_an_api_whose_stores_answer_is_well() -> None:
    found = await asked(200, READY)
    assert {status for status, _ in found.values()} == {Status.OK}


async def test_a_store_that_is_away_is_named() -> None:
    graph = {"ok": False, "needed": True, "error_code": "store_unavailable"}
    stores = READY["stores"] | {"graph": graph}  # type: ignore[operator] # a dict
    found = await asked(503, {"status": "unavailable", "stores": stores})
    assert found["health.stores"] == (
        Status.ERROR,
        "From the API these do not answer: graph (store_unavailable).",
    )


async def test_something_else_at_the_address_is_no_api() -> None:
    found = await asked(200, {"hello": "world"})
    assert found["health.api"][0] is Status.ERROR


async def test_where_nothing_listens_the_address_is_named() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    found = await ask_api("http://api", transport=httpx.MockTransport(refuse))
    assert [one.status for one in found] == [Status.ERROR, Status.SKIPPED]
    assert "http://api" in found[0].sentence


def test_a_queue_without_a_consumer_is_an_error() -> None:
    served = [{"name": queue.value} for queue in QueueName if queue is not QueueName.COMMIT]
    found = judge_consumers({"a@1": served, "b@2": served})
    wrong = [one for one in found if one.status is Status.ERROR]
    assert [one.code for one in wrong] == ["health.queue_commit"]
    assert any(one.sentence == "2 workers take messages from extract." for one in found)


def test_without_any_worker_no_queue_has_a_consumer() -> None:
    assert {one.status for one in judge_consumers({})} == {Status.ERROR}
