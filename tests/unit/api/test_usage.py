"""What models were used for, as the API and Prometheus show it."""

from datetime import UTC, datetime

import pytest

from shared.ids import TaskId
from shared.ledger.accounts import Usage, UsageKey
from shared.rag.calls import CallContext, Purpose
from tests.unit.api.conftest import Api
from tests.unit.api.problems import require_problem


async def count(api: Api, *, day: str, task_id: str = "", purpose: str = "query") -> None:
    key = UsageKey("default", task_id, "m", purpose, day)
    await api.ledger.usage.add({key: Usage(2, 30, 4)})


def today() -> str:
    return datetime.now(UTC).date().isoformat()


async def test_a_task_shows_what_it_used(api: Api) -> None:
    task_id = TaskId((await api.insert()).json()["task_id"])
    assert (await api.client.get(f"/tasks/{task_id}")).json()["usage"] == []
    await count(api, day=today(), task_id=task_id, purpose="extract")
    assert (await api.client.get(f"/tasks/{task_id}")).json()["usage"] == [
        {
            "model": "m",
            "purpose": "extract",
            "calls": 2,
            "prompt_tokens": 30,
            "completion_tokens": 4,
        }
    ]


async def test_usage_lists_the_last_days(api: Api) -> None:
    await count(api, day="2020-01-01")
    await count(api, day=today())
    body = (await api.client.get("/usage")).json()
    assert (body["cursor"], len(body["usage"])) == (None, 1)
    assert body["usage"][0] == {
        "day": today(),
        "workspace": "default",
        "model": "m",
        "purpose": "query",
        "calls": 2,
        "prompt_tokens": 30,
        "completion_tokens": 4,
    }


async def test_the_last_thirty_days_are_thirty(api: Api) -> None:
    for day in range(1, 32):
        await count(api, day=f"2020-01-{day:02}")
    days = [row["day"] for row in (await api.client.get("/usage?to=2020-01-31")).json()["usage"]]
    assert (len(days), days[0], days[-1]) == (30, "2020-01-02", "2020-01-31")


async def test_usage_can_be_asked_of_other_days_and_one_workspace(api: Api) -> None:
    await count(api, day="2020-01-01")
    found = await api.client.get("/usage?from=2020-01-01&to=2020-01-01&workspace=default")
    assert [row["day"] for row in found.json()["usage"]] == ["2020-01-01"]
    found = await api.client.get("/usage?from=2020-01-01&workspace=other")
    assert found.json()["usage"] == []


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ("from=yesterday", 422, "invalid_request"),
        ("workspace=A-B", 400, "invalid_workspace"),
        ("cursor=x", 400, "invalid_input"),
        ("to=0001-01-01", 200, ""),
    ],
)
async def test_odd_parameters(api: Api, parameters: str, status: int, code: str) -> None:
    response = await api.client.get(f"/usage?{parameters}")
    assert response.status_code == status
    if code:
        require_problem(response, status, code)


async def test_prometheus_counts_the_calls_of_the_fleet(api: Api) -> None:
    await count(api, day="2020-01-01")
    await count(api, day=today())
    text = (await api.client.get("/metrics")).text
    assert 'ragfleet_model_calls_total{model="m",purpose="query"} 4.0' in text
    assert 'ragfleet_model_tokens_total{kind="prompt",model="m",purpose="query"} 60.0' in text
    assert 'ragfleet_model_tokens_total{kind="completion",model="m",purpose="query"} 8.0' in text


@pytest.mark.parametrize("path", ["/query", "/query/stream"])
@pytest.mark.parametrize("include_progress", [False, True])
async def test_a_question_is_a_query_to_the_budget(
    api: Api, path: str, include_progress: bool
) -> None:
    question = {"query": "What is it?", "include_progress": include_progress}
    await api.client.post(path, json=question)
    assert api.rags.contexts == [CallContext(Purpose.QUERY, "default", "")]
