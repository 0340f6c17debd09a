"""What nginx itself answers: the way to TLS, refusals in the API's form, the id of a request."""

import httpx

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

ACT = "What nginx answers itself"
_QUICK_REQUESTS = 1000
_TOO_LARGE_BYTES = 2_000_000
_REQUEST_ID = "rehearsal:1"


def see_front(installation: Installation, visitor: Visitor, transcript: Transcript) -> None:
    """Ask for what nginx refuses or answers itself.

    Raises:
        RehearsalError: it answers otherwise.
    """
    with transcript.step(ACT, "plain HTTP leads to TLS, on the port where it is") as entry:
        port = installation.port("nginx", 443)
        plain = f"http://localhost:{installation.port('nginx', 80)}/documents?limit=1"
        answer = httpx.get(plain, trust_env=False, follow_redirects=False)
        _expect(answer, 308, location=f"https://localhost:{port}/documents?limit=1")
        entry.seen["location"] = answer.headers["location"]
    with transcript.step(ACT, "nobody outside reads the metrics"):
        _expect(visitor.once("GET", "/metrics"), 404)
    with transcript.step(ACT, "an answer and the log have the id of the request"):
        answer = visitor.once("GET", "/livez", headers={"X-Request-Id": _REQUEST_ID})
        _expect(answer, 200, **{"x-request-id": _REQUEST_ID})
        if _REQUEST_ID not in installation.log("nginx", lines=50):
            raise RehearsalError("nginx's log lacks the id that the request had")
    with transcript.step(ACT, "a question that is too large is refused") as entry:
        answer = visitor.once("POST", "/query", content=b" " * _TOO_LARGE_BYTES)
        entry.seen["code"] = _problem(answer, 413)
    with transcript.step(ACT, "an answer comes in pieces") as entry:
        entry.seen["pieces"] = visitor.pieces("/query/stream", {"query": "Who was Ada?"})
    with transcript.step(ACT, "who is too quick is told when to come again") as entry:
        answer = _refused(visitor)
        entry.seen["code"] = _problem(answer, 429)
        _expect(answer, 429, **{"retry-after": "1"})


def _refused(visitor: Visitor) -> httpx.Response:
    """Return the first answer that is no 200, and the last of a thousand if all are."""
    for _ in range(_QUICK_REQUESTS):
        answer = visitor.once("GET", "/livez")
        if answer.status_code != httpx.codes.OK:
            break
    return answer


def _problem(answer: httpx.Response, status: int) -> str:
    """Return the code of a refusal, which has the form and the headers that the API's have."""
    _expect(answer, status, **{"x-content-type-options": "nosniff"})
    if "strict-transport-security" not in answer.headers:
        raise RehearsalError(f"{answer.status_code} comes without Strict-Transport-Security")
    return str(answer.json()["code"])


def _expect(answer: httpx.Response, status: int, **headers: str) -> None:
    wrong = {name for name, value in headers.items() if answer.headers.get(name) != value}
    if answer.status_code != status or wrong:
        sentence = f"{answer.url} answers {answer.status_code}, {dict(answer.headers)}"
        raise RehearsalError(f"{sentence} instead of {status}, {headers}")
