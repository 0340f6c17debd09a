"""Stands in for the agent that ECS runs beside each container."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

DONE = (200, b'{"protection": {"ProtectionEnabled": true, "TaskArn": "arn:aws:ecs:task"}}')
WAIT_S = 20


@dataclass
class Agent:
    """What was asked, in order, and what is answered before all is well."""

    uri: str = ""
    asked: "Queue[tuple[str, dict[str, Any]]]" = field(default_factory=Queue)
    refusals: deque[tuple[int, bytes]] = field(default_factory=deque)

    def next(self) -> dict[str, Any]:
        return self.asked.get(timeout=WAIT_S)[1]


@contextmanager
def served_agent() -> Iterator[Agent]:
    """Answer at `uri` until the block ends."""
    served = Agent()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.asked.put((self.path, json.loads(body)))
            status, answer = served.refusals.popleft() if served.refusals else DONE
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.uri = f"http://127.0.0.1:{server.server_address[1]}/api/some-container"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()
