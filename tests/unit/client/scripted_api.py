"""An API that answers from a table, so that the client's tests need no network."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class ScriptedApi:
    """Answers each `METHOD /path` with its responses in turn; the last one stays."""

    answers: dict[str, list[httpx.Response | Exception]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, route: str, *answers: httpx.Response | Exception | dict[str, Any]) -> None:
        self.answers[route] = [
            httpx.Response(200, json=one) if isinstance(one, dict) else one for one in answers
        ]

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        queue = self.answers[f"{request.method} {request.url.raw_path.decode().split('?')[0]}"]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]
