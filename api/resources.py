"""What a request may need, opened once a process."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.contract.sender import Sender
from shared.ledger.ledger import Ledger
from shared.objects.base import ObjectStore
from shared.probes import Probe
from shared.rag.pool import RagPool
from shared.rag.questions import Answer, OnProgress, Question, ask
from shared.settings import Settings


class Ask(Protocol):
    """How a question is answered; `shared.rag.questions.ask` outside tests."""

    def __call__(
        self,
        rag: Any,  # noqa: ANN401 - a LightRAG, opaque to the API
        question: Question,
        *,
        on_progress: OnProgress | None = None,
    ) -> Awaitable[Answer]:
        """Answer a question from one workspace's stores."""


@dataclass(frozen=True)
class Resources:
    """Everything outside the process that a request may touch."""

    settings: Settings
    ledger: Ledger
    objects: ObjectStore
    sender: Sender
    rags: RagPool
    probes: Mapping[str, Probe]
    ask: Ask = ask
