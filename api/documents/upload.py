"""Reads an upload's body while it arrives; memory holds one read of it, the disk nothing else."""

import asyncio
from collections.abc import AsyncIterator

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from api.body_limit import announced_bytes
from api.documents.form import UploadForm
from api.errors import MalformedMultipartError, RequestTimeoutError, UnsupportedMediaTypeError
from shared.errors import UploadTooLargeError

# Headers, boundaries and small fields beside the file's own bytes.
_OVERHEAD_BYTES = 128 * 1024
_IDLE_TIMEOUT_S = 60.0
"""How long a client may send nothing in the middle of an upload."""


def open_form(request: Request, *, max_file_bytes: int) -> UploadForm:
    """Look at the request's head and expect its form.

    Raises:
        UnsupportedMediaTypeError: the body is not multipart/form-data.
        MalformedMultipartError: it names no usable boundary.
        UploadTooLargeError: the announced body is larger than any file that is accepted.
    """
    media_type, parameters = parse_options_header(request.headers.get("content-type"))
    if media_type != b"multipart/form-data":
        sentence = "An upload is multipart/form-data with a part named `file`."
        raise UnsupportedMediaTypeError(sentence)
    if not parameters.get(b"boundary"):
        raise MalformedMultipartError("The Content-Type names no boundary; let the client set it.")
    _require_body_within_limit(announced_bytes(request.scope), max_file_bytes)
    return UploadForm(parameters[b"boundary"], max_file_bytes=max_file_bytes)


async def receive_file(
    request: Request, form: UploadForm, *, max_file_bytes: int
) -> AsyncIterator[bytes]:
    """Give the file's bytes as they arrive, and finish the form.

    Raises:
        InvalidInputError: the form is not well-formed, complete, or what is expected.
        UploadTooLargeError: more came than is accepted; raised as soon as it is known.
        RequestTimeoutError: the client stopped sending.
        ClientDisconnect: the client has gone.
    """
    body_bytes = 0
    stream = request.stream()
    while chunk := await _next_chunk(stream):
        body_bytes += len(chunk)
        _require_body_within_limit(body_bytes, max_file_bytes)
        for piece in form.feed(chunk):
            yield piece
    form.finish()


async def _next_chunk(stream: AsyncIterator[bytes]) -> bytes:
    """Wait for the next bytes; empty at the end of the body."""
    try:
        async with asyncio.timeout(_IDLE_TIMEOUT_S):
            return await anext(stream, b"")
    except TimeoutError:
        raise RequestTimeoutError from None


def _require_body_within_limit(body_bytes: int, max_file_bytes: int) -> None:
    if body_bytes > max_file_bytes + _OVERHEAD_BYTES:
        raise UploadTooLargeError
