"""Where errors meet HTTP: which status each has, and the problem document (RFC 9457) for it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as RoutingError
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from api import errors
from shared.errors import (
    AppError,
    ConflictError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    ModelRefusedError,
    ModelReplyUnusableError,
    NotFoundError,
    UnavailableError,
    UploadTooLargeError,
)

# The nearest class in an error's ancestry decides; AppError itself is a fault of ours.
STATUS: dict[type[AppError], HTTPStatus] = {
    AppError: HTTPStatus.INTERNAL_SERVER_ERROR,
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    NotFoundError: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.RequestTimeoutError: HTTPStatus.REQUEST_TIMEOUT,
    ConflictError: HTTPStatus.CONFLICT,
    UploadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.RequestTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ModelRefusedError: HTTPStatus.BAD_GATEWAY,
    ModelReplyUnusableError: HTTPStatus.BAD_GATEWAY,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# FastAPI says 400 only of a body that it could not read as JSON.
_ROUTING_ERRORS: dict[int, type[AppError]] = {
    400: errors.MalformedJsonError,
    404: errors.RouteNotFoundError,
    405: errors.MethodNotAllowedError,
}
# Outages of stores and models last seconds to minutes; a client that waits this long is polite.
_RETRY_AFTER_S = 5.0
# A validation error may carry what was sent: enough to find the field, never the whole input.
_MAX_ERRORS = 20
_MAX_TEXT_CHARS = 200


def problem(
    error: AppError,
    scope: Scope,
    *,
    invalid_fields: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make the problem document of an error."""
    status = _status_of(error)
    content: dict[str, Any] = {
        "type": f"urn:lightrag-fleet:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status.value,
        "detail": error.detail,
        "code": error.code,
        "request_id": scope.get("state", {}).get("request_id"),
    }
    if invalid_fields:
        content["errors"] = invalid_fields
    return JSONResponse(
        content,
        status_code=status.value,
        headers={**_headers_of(error), **(headers or {})},
        media_type="application/problem+json",
    )


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.exception_handler(AppError)(_answer_app_error)
    app.exception_handler(RequestValidationError)(_answer_validation_error)
    app.exception_handler(RoutingError)(_answer_routing_error)
    app.exception_handler(ClientDisconnect)(_answer_nobody)


async def _answer_app_error(request: Request, error: AppError) -> JSONResponse:
    return problem(error, request.scope)


async def _answer_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem(errors.MalformedJsonError(), request.scope)
    if any(tuple(one["loc"]) == ("body",) for one in found) and not _has_json(request):
        sentence = "This path takes a JSON body; send it with Content-Type: application/json."
        return problem(errors.UnsupportedMediaTypeError(sentence), request.scope)
    fields = [
        {
            "field": ".".join(map(str, one["loc"]))[:_MAX_TEXT_CHARS],
            "message": one["msg"].removeprefix("Value error, ")[:_MAX_TEXT_CHARS],
        }
        for one in found[:_MAX_ERRORS]
    ]
    return problem(errors.InvalidRequestError(), request.scope, invalid_fields=fields)


async def _answer_routing_error(request: Request, error: RoutingError) -> JSONResponse:
    ours = _ROUTING_ERRORS.get(error.status_code, InvalidInputError)
    return problem(ours(), request.scope, headers=error.headers)


async def _answer_nobody(request: Request, _error: ClientDisconnect) -> JSONResponse:
    # The client has gone, so nobody reads this; it only ends the request without a traceback.
    return problem(errors.RequestTimeoutError(), request.scope)


def _status_of(error: AppError) -> HTTPStatus:
    return next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)


def _headers_of(error: AppError) -> dict[str, str]:
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(round(max(1.0, error.retry_after_s or _RETRY_AFTER_S)))}
    if isinstance(error, errors.UnauthorizedError):
        return {"WWW-Authenticate": 'Bearer realm="lightrag-fleet"'}
    return {}


def _has_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
