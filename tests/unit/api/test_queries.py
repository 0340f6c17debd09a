"""POST /query and /query/stream: what LightRAG's server takes and says, so do we."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.errors import AppError, ModelRefusedError, ModelUnavailableError, StoreUnavailableError
from shared.ids import DEFAULT_WORKSPACE, PhysicalWorkspace
from shared.rag import query_rules as rules
from shared.rag.questions import Answer
from tests.unit.api.conftest import Api, StartApi
from tests.unit.api.problems import require_problem

REFERENCES = [{"reference_id": "1", "file_path": "a.txt"}]
CHUNKS = [
    {"reference_id": "1", "content": "one"},
    {"reference_id": "1", "content": "two"},
    {"reference_id": "", "content": "of nobody"},
]
WHOLE = Answer("It is so.", None, REFERENCES, CHUNKS)


def pieces(*texts: str, then: Exception | None = None) -> Answer:
    async def stream() -> AsyncIterator[str]:
        for text in texts:
            yield text
        if then is not None:
            raise then

    return Answer(None, stream(), REFERENCES, CHUNKS)


async def ask(api: Api, **request: object) -> httpx.Response:
    return await api.client.post("/query", json={"query": "what is it"} | request)


async def ask_lines(api: Api, **request: object) -> list[dict[str, Any]]:
    response = await api.client.post("/query/stream", json={"query": "what is it"} | request)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def test_an_answer_comes_with_its_references(api: Api) -> None:
    api.rags.answer = WHOLE
    answer = (await ask(api)).json()
    assert answer.pop("response_time") >= 0
    assert answer == {
        "response": "It is so.",
        "references": [{"reference_id": "1", "file_path": "a.txt", "content": None}],
        "llm_generated": True,
    }


async def test_references_carry_what_was_read_or_stay_away_as_asked(api: Api) -> None:
    api.rags.answer = WHOLE
    with_content = (await ask(api, include_chunk_content=True)).json()
    assert with_content["references"][0]["content"] == ["one", "two"]
    assert (await ask(api, include_references=False)).json()["references"] is None


async def test_every_field_reaches_lightrag_and_the_others_stay_at_its_defaults(api: Api) -> None:
    fields = {
        "mode": "naive",
        "only_need_context": True,
        "only_need_prompt": False,
        "response_type": "Single Paragraph",
        "top_k": 3,
        "chunk_top_k": 4,
        "max_entity_tokens": 5,
        "max_relation_tokens": 6,
        "max_total_tokens": 7,
        "hl_keywords": ["a"],
        "ll_keywords": ["b"],
        "conversation_history": [{"role": "user", "content": "hi", "name": "x"}],
        "user_prompt": "briefly",
        "disable_user_prompt_prefix": True,
        "enable_rerank": False,
    }
    await ask(api, **fields, include_chunk_content=True, include_progress=True, stream=True)
    await ask(api)
    (workspace, full), (_, bare) = api.rags.asked
    assert workspace == PhysicalWorkspace(DEFAULT_WORKSPACE)
    assert full.text == "what is it"
    assert full.parameters == fields | {"include_references": True, "stream": False}
    assert bare.parameters == {
        "mode": "mix",
        "hl_keywords": [],
        "ll_keywords": [],
        "include_references": True,
        "stream": False,
    }


async def test_the_guides_question_works_as_written(api: Api) -> None:
    response = await api.client.post(
        "/query",
        content='{"query": "测试查询", "mode": "naive"}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("body.query", {"query": " "}),
        ("body", {"query": "ab"}),
        ("body", {"query": "书"}),
        ("body.query", {"query": "x" * (rules.MAX_QUERY_CHARS + 1)}),
        ("body.query", {"query": None}),
        ("body.query", {"query": "lone \ud800 surrogate"}),
        ("body.mode", {"mode": "all"}),
        ("body.top_k", {"top_k": 0}),
        ("body.top_k", {"top_k": rules.MAX_QUERY_TOP_K + 1}),
        ("body.max_total_tokens", {"max_total_tokens": rules.MAX_QUERY_TOKEN_BUDGET + 1}),
        ("body.response_type", {"response_type": ""}),
        ("body.hl_keywords", {"hl_keywords": ["a"] * (rules.MAX_KEYWORDS_PER_LIST + 1)}),
        ("body.ll_keywords", {"ll_keywords": ["a" * (rules.MAX_KEYWORD_CHARS + 1)]}),
        ("body.conversation_history", {"conversation_history": [{"role": "user"}]}),
        ("body.conversation_history", {"conversation_history": [{"role": "", "content": "x"}]}),
        ("body.conversation_history", {"conversation_history": [{"role": 1, "content": "x"}]}),
        (
            "body.conversation_history",
            {"conversation_history": [{"role": "user", "content": "x"}] * 129},
        ),
        (
            "body",
            {"conversation_history": [{"role": "user", "content": "x" * 30_000}] * 5},
        ),
    ],
)
@pytest.mark.parametrize("path", ["/query", "/query/stream"])
async def test_a_question_outside_lightrags_limits_is_refused(
    api: Api, path: str, field: str, request_: dict[str, Any]
) -> None:
    body = json.dumps({"query": "what is it"} | request_)
    response = await api.client.post(
        path, content=body, headers={"content-type": "application/json"}
    )
    problem = require_problem(response, 422, "invalid_request")
    assert isinstance(problem["errors"], list)
    assert problem["errors"][0]["field"] == field
    assert api.rags.asked == []


@pytest.mark.parametrize("request_", [{"query": "书本"}, {"query": "a", "mode": "bypass"}])
async def test_short_questions_are_fine_where_lightrag_finds_them_so(
    api: Api, request_: dict[str, str]
) -> None:
    assert (await ask(api, **request_)).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreUnavailableError(), 503),
        (ModelUnavailableError(), 503),
        (ModelRefusedError(), 502),
    ],
)
@pytest.mark.parametrize("path", ["/query", "/query/stream"])
async def test_an_outage_behind_a_question_is_a_problem_with_its_code(
    api: Api, path: str, error: AppError, status: int
) -> None:
    api.rags.answer = error
    response = await api.client.post(path, json={"query": "what is it"})
    require_problem(response, status, error.code)
    assert api.rags.open_now == 0


async def test_a_model_that_names_a_pause_passes_it_on(api: Api) -> None:
    api.rags.answer = ModelUnavailableError(retry_after_s=17.2)
    assert (await ask(api)).headers["retry-after"] == "17"


async def test_a_workspace_of_another_embedding_is_not_asked(api: Api) -> None:
    await api.ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model="other", dim=8)
    require_problem(await ask(api), 409, "embedding_mismatch")


async def test_a_stream_begins_with_the_references(api: Api) -> None:
    api.rags.answer = pieces("It ", "", "is so.")
    assert await ask_lines(api) == [
        {"references": REFERENCES},
        {"response": "It "},
        {"response": "is so."},
    ]
    assert api.rags.asked[0][1].parameters["stream"] is True
    assert api.rags.open_now == 0


async def test_a_stream_without_references_has_only_the_answer(api: Api) -> None:
    api.rags.answer = pieces("It")
    assert await ask_lines(api, include_references=False) == [{"response": "It"}]


async def test_a_stream_carries_what_was_read_if_asked(api: Api) -> None:
    api.rags.answer = pieces("It")
    first, _ = await ask_lines(api, include_chunk_content=True)
    assert first["references"][0]["content"] == ["one", "two"]


async def test_an_answer_that_came_whole_is_one_line(api: Api) -> None:
    api.rags.answer = Answer("Nothing found.", None, [], [], llm_generated=False)
    line = {"response": "Nothing found.", "llm_generated": False, "references": []}
    assert await ask_lines(api, stream=False) == [line]
    assert api.rags.asked[0][1].parameters["stream"] is False


@pytest.mark.parametrize(
    ("error", "code"),
    [(ModelUnavailableError(), "model_unavailable"), (KeyError("secret"), "internal_error")],
)
async def test_an_error_in_mid_stream_is_the_last_line(
    api: Api, error: Exception, code: str
) -> None:
    api.rags.answer = pieces("It", then=error)
    last = (await ask_lines(api))[-1]
    assert last["code"] == code
    assert last["error"]
    assert "secret" not in last["error"]


async def test_progress_comes_first_and_the_time_last_if_asked(api: Api) -> None:
    api.rags.answer = pieces("It")
    api.rags.progress = ["extracting_keywords", "searching"]
    *lines, last = await ask_lines(api, include_progress=True)
    assert lines == [
        {"progress": "extracting_keywords"},
        {"progress": "searching"},
        {"references": REFERENCES},
        {"response": "It"},
    ]
    assert last["response_time"] >= 0
    assert api.rags.open_now == 0


async def test_an_error_after_progress_is_a_line(api: Api) -> None:
    api.rags.answer = ModelUnavailableError()
    api.rags.progress = ["extracting_keywords"]
    first, last = await ask_lines(api, include_progress=True)
    assert first == {"progress": "extracting_keywords"}
    assert last["code"] == "model_unavailable"


async def test_a_question_of_a_megabyte_is_refused_before_it_is_read(start_api: StartApi) -> None:
    api = await start_api()
    response = await ask(api, query="x" * 1_000_000)
    require_problem(response, 413, "request_too_large")
