"""What a command can end with: its exit codes, and the API's problems as exceptions."""

from enum import IntEnum

import httpx


class ExitCode(IntEnum):
    """What a command tells the shell; docs/api.md lists them for users."""

    FINE = 0
    FAILED = 1
    """The API refused, or at least one document failed."""
    USAGE = 2
    """A wrong argument or setting; nothing was sent."""
    UNREACHABLE = 3
    """No API answers at the address."""


class ApiProblemError(Exception):
    """The API answered with a problem document: a stable code and one sentence."""

    def __init__(self, *, status: int, code: str, detail: str, retry_after_s: float | None) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        super().__init__(f"{code}: {detail}")

    @property
    def is_outage(self) -> bool:
        """Whether the same request may work shortly: something behind the API is down."""
        return self.status in {429, 502, 503, 504}


class ServerNotReachableError(Exception):
    """No API answers at the address."""

    def __init__(self, url: str) -> None:
        sentence = f"No API answers at {url}; start one with `make up`, or name another with --url."
        super().__init__(sentence)


def problem_of(response: httpx.Response) -> ApiProblemError:
    """Turn an error response, whose body has been read, into its problem.

    A proxy in between answers without our document; then the status is all there is to tell.
    """
    document = _document(response)
    plain = f"The server answered {response.status_code} {response.reason_phrase}."
    return ApiProblemError(
        status=response.status_code,
        code=str(document.get("code") or f"http_{response.status_code}"),
        detail=f"{document.get('detail') or plain}{_first_field(document)}",
        retry_after_s=_seconds(response.headers.get("retry-after")),
    )


def _document(response: httpx.Response) -> dict[str, object]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _first_field(document: dict[str, object]) -> str:
    match document.get("errors"):
        case [{"field": field, "message": message}, *_]:
            return f" ({field}: {message})"
        case _:
            return ""


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
