"""What holds for every request: problems, ids, keys, bounds."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.unit.api.conftest import Api, StartApi
from tests.unit.api.problems import require_problem


async def test_an_unknown_path_is_a_problem(api: Api) -> None:
    require_problem(await api.client.get("/nothing/here"), 404, "route_not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_one(api: Api) -> None:
    response = await api.client.put("/query")
    require_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"{'a': 1}", b"[" * 100_000, b"NaN,"])
async def test_bad_json_is_a_problem(api: Api, body: bytes) -> None:
    response = await api.client.post(
        "/query", content=body, headers={"content-type": "application/json"}
    )
    require_problem(response, 400, "malformed_json")


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b'"x"', b"null"])
async def test_json_that_is_no_object_is_a_problem(api: Api, body: bytes) -> None:
    response = await api.client.post(
        "/query", content=body, headers={"content-type": "application/json"}
    )
    require_problem(response, 422, "invalid_request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_json_under_another_name_is_a_problem(api: Api, content_type: str) -> None:
    response = await api.client.post(
        "/query", content=b'{"query": "what"}', headers={"content-type": content_type}
    )
    require_problem(response, 415, "unsupported_media_type")


async def test_a_body_without_announced_length_is_bounded_too(start_api: StartApi) -> None:
    api = await start_api(MAX_REQUEST_BYTES="1000")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 500

    response = await api.client.post("/query", content=endless())
    require_problem(response, 413, "request_too_large")
    assert response.headers["connection"] == "close"


async def test_what_was_not_foreseen_shows_no_internals(api: Api) -> None:
    api.rags.answer = KeyError("secret")
    with capture_logs():  # which also keeps a long traceback out of the test's output
        response = await api.client.post("/query", json={"query": "what is it"})
    require_problem(response, 500, "internal_error")
    assert "secret" not in response.text
    assert (await api.client.get("/livez")).status_code == 200


async def test_huge_field_names_are_not_echoed(api: Api) -> None:
    response = await api.client.post("/workspaces", json={"n" * 100_000: 1, "name": "x"})
    require_problem(response, 422, "invalid_request")


async def test_a_sane_request_id_is_kept_and_an_odd_one_replaced(api: Api) -> None:
    kept = await api.client.get("/livez", headers={"X-Request-ID": "abc-1.2:3"})
    assert kept.headers["x-request-id"] == "abc-1.2:3"
    for odd in ("", "x" * 65, "a b", "<script>"):
        replaced = await api.client.get("/livez", headers={"X-Request-ID": odd})
        assert replaced.headers["x-request-id"] != odd
        assert replaced.headers["x-request-id"]


OPEN = ["/", "/livez", "/readyz", "/docs", "/openapi.json"]
CLOSED = [
    ("GET", "/tasks"),
    ("GET", "/documents"),
    ("GET", "/workspaces"),
    ("GET", "/metrics"),
    ("POST", "/query"),
    ("POST", "/insert"),
    ("GET", "/nothing"),
    ("GET", "/livez/"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "s3cret "[:-1] + "x"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic s3cret"},
        {"Authorization": "s3cret"},
    ],
)
async def test_with_an_api_key_nothing_goes_without_it(
    start_api: StartApi, method: str, path: str, headers: dict[str, str]
) -> None:
    api = await start_api(API_KEY="s3cret")
    response = await api.client.request(method, path, headers=headers)
    require_problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "s3crét"},
        {"Authorization": "Bearer s3crét"},
        {"authorization": "bearer  s3crét"},
    ],
)
async def test_the_key_opens_as_header_or_bearer_token(
    start_api: StartApi, headers: dict[str, str]
) -> None:
    api = await start_api(API_KEY="s3crét")
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert (await api.client.get("/tasks", headers=encoded)).status_code == 200


@pytest.mark.parametrize("path", OPEN)
async def test_health_and_documentation_are_open(start_api: StartApi, path: str) -> None:
    api = await start_api(API_KEY="s3cret")
    assert (await api.client.get(path)).status_code == 200


async def test_an_upload_without_the_key_is_refused_unread(start_api: StartApi) -> None:
    api = await start_api(API_KEY="s3cret")
    require_problem(await api.insert(), 401, "unauthorized")
    assert api.objects.objects == {}
