"""What every error answer must look like."""

import httpx


def require_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check a problem document (RFC 9457) and return it."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem: dict[str, object] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:lightrag-fleet:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (status == 503)
    assert len(response.content) < 10_000  # never an echo of what was sent
    return problem
