"""What the header Idempotency-Key promises for an upload that is sent again."""

import pytest

from tests.unit.api.conftest import Api
from tests.unit.api.problems import require_problem


async def test_an_idempotency_key_of_another_upload_is_refused(api: Api) -> None:
    await api.insert(b"one", doc_id="d", idempotency_key="k")
    response = await api.insert(b"two", doc_id="d", idempotency_key="k")
    require_problem(response, 422, "idempotency_key_reused")
    assert len(api.objects.objects) == 1


async def test_an_upload_without_doc_id_is_found_again_by_its_idempotency_key(api: Api) -> None:
    first = (await api.insert(b"one", idempotency_key="k")).json()
    assert (await api.insert(b"one", idempotency_key="k")).json() == first
    assert (await api.insert(b"one", idempotency_key="l")).json()["doc_id"] != first["doc_id"]
    require_problem(await api.insert(b"two", idempotency_key="k"), 422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
async def test_an_odd_idempotency_key_is_refused(api: Api, key: str) -> None:
    response = await api.client.post(
        "/insert",
        files={"file": ("a", b"x")},
        headers=[(b"Idempotency-Key", key.encode("latin-1"))],
    )
    require_problem(response, 400, "invalid_idempotency_key")
