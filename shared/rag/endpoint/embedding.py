"""Embeddings: the request, and the vectors of a reply."""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import ModelReplyUnusableError, ModelUnavailableError
from shared.rag.endpoint.connection import Endpoint
from shared.rag.endpoint.counts import told_tokens

Vectors = NDArray[np.float32]


def write_request(model: str, texts: list[str]) -> bytes:
    """Write the body of a request; numbers in base64 cost a twentieth of a list to read."""
    request = {"model": model, "input": texts, "encoding_format": "base64"}
    return json.dumps(request, ensure_ascii=False).encode(errors="replace")


async def embed(endpoint: Endpoint, request: bytes, *, count: int) -> tuple[Vectors, int | None]:
    """Get `count` vectors, and how many tokens they took if the endpoint tells.

    Raises:
        ModelReplyUnusableError: there are more or fewer vectors.
        ModelUnavailableError: it is no answer at all; for the rest see `Endpoint.post`.
    """
    body = await endpoint.post("/embeddings", request)
    try:
        rows = sorted(body["data"], key=lambda row: row["index"])
        vectors = np.array([_vector(row["embedding"]) for row in rows], dtype=np.float32)
    except (LookupError, TypeError, ValueError):
        raise ModelUnavailableError from None
    if len(rows) != count or vectors.ndim != 2:
        raise ModelReplyUnusableError
    return vectors, told_tokens(body, "prompt_tokens")


def _vector(value: Any) -> Any:  # noqa: ANN401 - base64, or the list that some servers give anyway
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
    return value
