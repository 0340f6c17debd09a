"""POST /insert: what is kept, what is refused, and that nothing is half-kept."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.contract.payloads import PrepareDocument
from shared.errors import LedgerUnavailableError
from shared.ids import TaskId
from shared.ledger.records import NewUpload, TaskState
from tests.unit.api.conftest import Api, StartApi
from tests.unit.api.problems import require_problem

BOUNDARY = "----b"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(disposition: str, content: bytes, *more_headers: str) -> bytes:
    head = "\r\n".join([f"Content-Disposition: form-data; {disposition}", *more_headers])
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
FILE = part('name="file"; filename="a.txt"', b"hello")
DOC_ID = part('name="doc_id"', b"mine")


async def post(api: Api, *parts: bytes, **headers: str) -> httpx.Response:
    return await api.client.post("/insert", content=b"".join(parts), headers=FORM | headers)


async def file_name_of(api: Api, response: httpx.Response) -> str:
    assert response.status_code == 202, response.text
    return (await api.ledger.tasks.get(TaskId(response.json()["task_id"]))).file_name


async def test_an_upload_is_kept_recorded_and_announced(api: Api) -> None:
    response = await api.insert(b"hello", doc_id="mine", x_request_id="r-1")
    assert response.status_code == 202
    accepted = response.json()
    assert accepted["doc_id"] == "mine"
    assert accepted["status_url"] == f"/tasks/{accepted['task_id']}" == response.headers["location"]
    assert list(api.objects.objects.values()) == [b"hello"]
    assert api.sender.sent == [PrepareDocument(task_id=accepted["task_id"], request_id="r-1")]
    status = await api.client.get(accepted["status_url"])
    assert status.json()["state"] == "queued"
    assert await api.ledger.tasks.unsent(older_than_ms=3_600_000, limit=10) == []


async def test_without_a_doc_id_one_is_made(api: Api) -> None:
    first, second = [(await api.insert()).json()["doc_id"] for _ in range(2)]
    assert first != second


@pytest.mark.parametrize("parts", [(FILE, DOC_ID, END), (DOC_ID, FILE, END)])
async def test_the_parts_may_come_in_any_order(api: Api, parts: tuple[bytes, ...]) -> None:
    assert (await post(api, *parts)).json()["doc_id"] == "mine"


async def test_a_body_that_arrives_byte_by_byte_is_the_same_body(api: Api) -> None:
    body = DOC_ID + part('name="file"; filename="a.txt"', b"\r\n--\r\n----b\r\n") + END

    async def bytewise() -> AsyncIterator[bytes]:
        for index in range(len(body)):
            yield body[index : index + 1]

    response = await api.client.post("/insert", content=bytewise(), headers=FORM)
    assert response.json()["doc_id"] == "mine"
    assert list(api.objects.objects.values()) == [b"\r\n--\r\n----b\r\n"]


async def test_other_parts_are_ignored(api: Api) -> None:
    assert (await post(api, part('name="x"', b"y"), FILE, END)).status_code == 202


async def test_the_same_upload_again_is_the_same_task_and_keeps_one_object(api: Api) -> None:
    first, second = [(await api.insert(b"same", doc_id="d")).json() for _ in range(2)]
    assert first == second
    assert len(api.objects.objects) == 1


async def test_new_bytes_under_a_doc_id_are_a_new_task(api: Api) -> None:
    first = (await api.insert(b"one", doc_id="d")).json()
    second = (await api.insert(b"two", doc_id="d")).json()
    assert first["task_id"] != second["task_id"]


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ('name="file"; filename="../../etc/passwd"', "passwd"),
        (r'name="file"; filename="C:\\Users\\me\\a.txt"', "a.txt"),
        (r'name="file"; filename="C:\Users\me\a.txt"', "a.txt"),
        ('name="file"; filename="a\x01b\x7f\u202egnp.txt"', "abgnp.txt"),
        (f'name="file"; filename="{"书" * 300}.pdf"', "书" * 196 + ".pdf"),
        (f'name="file"; filename="{"a" * 300}"', "a" * 200),
        ('name="file"; filename="测试.txt"', "测试.txt"),
        ('name="file"; filename="x.txt"; filename*=UTF-8\'\'%E6%B5%8B.txt', "测.txt"),
        ("name=\"file\"; filename*=UTF-8''%2Fetc%2Fpasswd", "passwd"),
        (r'name="file"; filename="say \"hi\".txt"', 'say "hi".txt'),
        ('name="file"; filename="a;b.txt"', "a;b.txt"),
        ('name="file"; filename="a<SEP>b.txt"', "a_b.txt"),
        ('name="file"; filename=".."', "document"),
        ('name="file"; filename="\x00"', "document"),
        ('name="file"; filename=""', "document"),
        ('name="file"', "document"),
    ],
)
async def test_file_names_are_made_harmless(api: Api, disposition: str, expected: str) -> None:
    response = await post(api, part(disposition, b"x"), END)
    assert await file_name_of(api, response) == expected


async def test_a_latin1_file_name_is_read(api: Api) -> None:
    raw = part('name="file"; filename="@.txt"', b"x").replace(b"@", b"caf\xe9")
    assert await file_name_of(api, await post(api, raw, END)) == "café.txt"


@pytest.mark.parametrize("doc_id", ["a/b", "", " ", "-x", "x" * 129, "a\nb", "<script>"])
async def test_a_doc_id_of_odd_characters_is_refused(api: Api, doc_id: str) -> None:
    response = await post(api, FILE, part('name="doc_id"', doc_id.encode()), END)
    require_problem(response, 400, "invalid_doc_id")
    assert api.objects.objects == {}


@pytest.mark.parametrize("doc_id", ["test_external", "报告.2024", "a:b@c+d-e", "x" * 128])
async def test_a_proper_doc_id_is_accepted(api: Api, doc_id: str) -> None:
    response = await post(api, FILE, part('name="doc_id"', doc_id.encode()), END)
    assert response.json()["doc_id"] == doc_id


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((DOC_ID, END), "missing_file"),
        ((END,), "missing_file"),
        ((FILE, FILE, END), "duplicate_part"),
        ((DOC_ID, DOC_ID, FILE, END), "duplicate_part"),
        ((part('name="file"; filename="a.txt"', b""), END), "empty_file"),
        ((FILE,), "malformed_multipart"),
        ((FILE[:-9],), "malformed_multipart"),
        ((b"garbage",), "malformed_multipart"),
        ((b"",), "malformed_multipart"),
        ((part("filename=a", b"x"), END), "malformed_multipart"),
        (
            (part('name="file"', b"eA==", "Content-Transfer-Encoding: base64"), END),
            "malformed_multipart",
        ),
        ((part('name="file"', b"x", "X: " + "y" * 20_000), END), "malformed_multipart"),
        ((part('name="file"', b"x", *["X: y"] * 20), END), "malformed_multipart"),
        ((part('name="x"', b"y" * 70_000), FILE, END), "form_too_large"),
        ((part('name="x"', b"y") * 40, FILE, END), "form_too_large"),
        ((part('name="doc_id"', b"\xff\xfe"), FILE, END), "invalid_doc_id"),
        ((FILE, part('name="doc_id"', b"x" * 60_000), END), "invalid_doc_id"),
    ],
)
async def test_a_form_that_is_not_an_upload_is_refused_and_nothing_is_kept(
    api: Api, parts: tuple[bytes, ...], code: str
) -> None:
    require_problem(await post(api, *parts), 400, code)
    assert api.objects.objects == {}
    assert (await api.ledger.tasks.page(limit=1)).rows == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "application/json"}, 415, "unsupported_media_type"),
        ({"content-type": "text/plain"}, 415, "unsupported_media_type"),
        ({}, 415, "unsupported_media_type"),
        ({"content-type": "multipart/form-data"}, 400, "malformed_multipart"),
        (
            {"content-type": "multipart/form-data; boundary=" + "x" * 500},
            400,
            "malformed_multipart",
        ),
    ],
)
async def test_a_wrong_or_missing_content_type_is_refused(
    api: Api, headers: dict[str, str], status: int, code: str
) -> None:
    response = await api.client.post("/insert", content=FILE + END, headers=headers)
    require_problem(response, status, code)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_above_the_limit_is_refused_and_nothing_is_kept(
    start_api: StartApi, announced: bool
) -> None:
    api = await start_api(MAX_UPLOAD_BYTES="1000000")

    async def endless() -> AsyncIterator[bytes]:
        yield b'------b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        for _ in range(10_000):
            yield b"x" * 100_000

    headers = FORM | ({"content-length": "1000000000"} if announced else {})
    response = await api.client.post("/insert", content=endless(), headers=headers)
    require_problem(response, 413, "upload_too_large")
    assert response.headers["connection"] == "close"
    assert api.objects.objects == {}


async def test_a_file_of_exactly_the_limit_is_accepted(start_api: StartApi) -> None:
    api = await start_api(MAX_UPLOAD_BYTES="1000")
    assert (await api.insert(b"x" * 1000)).status_code == 202
    require_problem(await api.insert(b"x" * 1001), 413, "upload_too_large")


async def test_with_the_broker_down_an_upload_is_accepted_all_the_same(api: Api) -> None:
    api.sender.available = False
    response = await api.insert()
    assert response.status_code == 202
    unsent = await api.ledger.tasks.unsent(older_than_ms=0, limit=10)
    assert [task.id for task in unsent] == [response.json()["task_id"]]


async def test_a_full_store_refuses_and_the_same_key_works_when_there_is_room(api: Api) -> None:
    api.objects.capacity_bytes = 3
    refused = await api.insert(b"hello", doc_id="d", idempotency_key="k")
    require_problem(refused, 503, "object_store_unavailable")
    assert api.objects.objects == {}
    assert (await api.ledger.tasks.page(limit=1)).rows == []
    api.objects.capacity_bytes = 1000
    assert (await api.insert(b"hello", doc_id="d", idempotency_key="k")).status_code == 202


async def test_a_ledger_that_is_away_refuses_and_the_same_key_works_when_it_is_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(api.ledger.workspaces, "get", _unavailable)
        refused = await api.insert(b"hello", doc_id="d", idempotency_key="k")
        require_problem(refused, 503, "ledger_unavailable")
    assert api.objects.objects == {}
    assert (await api.insert(b"hello", doc_id="d", idempotency_key="k")).status_code == 202


async def test_a_ledger_that_goes_away_during_the_upload_leaves_no_object(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(api.ledger.documents, "accept", _unavailable)
        refused = await api.insert(b"hello", doc_id="d", idempotency_key="k")
        require_problem(refused, 503, "ledger_unavailable")
    assert api.objects.objects == {}
    assert (await api.insert(b"hello", doc_id="d", idempotency_key="k")).status_code == 202


async def test_bytes_that_the_ledger_may_know_are_not_deleted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the row was written: the task's bytes must stay."""
    accept = api.ledger.documents.accept

    async def accept_then_break(upload: NewUpload) -> None:
        await accept(upload)
        raise LedgerUnavailableError

    with monkeypatch.context() as breaking:
        breaking.setattr(api.ledger.documents, "accept", accept_then_break)
        refused = await api.insert(b"hello", idempotency_key="k", doc_id="d")
        require_problem(refused, 503, "ledger_unavailable")
    assert len(api.objects.objects) == 1
    assert (await api.insert(b"hello", idempotency_key="k", doc_id="d")).status_code == 202
    tasks = (await api.ledger.tasks.page(limit=10)).rows
    assert [task.state for task in tasks] == [TaskState.QUEUED]
    assert [task.object_key for task in tasks] == list(api.objects.objects)


async def test_an_upload_into_an_unknown_workspace_is_refused_unread(api: Api) -> None:
    response = await api.insert(lightrag_workspace="nobody")
    require_problem(response, 404, "workspace_not_found")
    assert api.objects.objects == {}


async def _unavailable(*_: object, **__: object) -> None:
    raise LedgerUnavailableError
