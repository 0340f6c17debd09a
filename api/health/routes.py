"""GET /livez, GET /readyz, GET /metrics."""

import asyncio
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.dependencies import MetricsDep, ResourcesDep
from api.metrics import LedgerView
from shared.contract.names import QueueName
from shared.contract.sender import Sender
from shared.errors import QueueUnavailableError, UnavailableError
from shared.ledger.ledger import Ledger
from shared.probes import ProbeResult, run_probes

router = APIRouter(tags=["health"])

Readiness = Literal["ready", "degraded", "unavailable"]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class StoreView(BaseModel):
    """Whether one store answers; without a needed one this process is of no use."""

    ok: bool
    needed: bool
    error_code: str | None


class ReadyView(BaseModel):
    """Degraded means: work is accepted and kept, but waits for what is down."""

    status: Readiness
    stores: dict[str, StoreView]


@router.get("/livez")
async def live() -> Alive:
    """Say that the process lives; looks at nothing else."""
    return Alive()


@router.get("/readyz", responses={503: {"model": ReadyView}})
async def ready(resources: ResourcesDep, response: Response) -> ReadyView:
    """Ask every store; 503 when a needed one does not answer."""
    results = await run_probes(resources.probes)
    readiness = _readiness(list(results.values()))
    if readiness == "unavailable":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    stores = {
        name: StoreView(
            ok=result.error_code is None, needed=result.needed, error_code=result.error_code
        )
        for name, result in results.items()
    }
    return ReadyView(status=readiness, stores=stores)


@router.get("/metrics", response_class=Response)
async def expose_metrics(resources: ResourcesDep, metrics: MetricsDep) -> Response:
    """Write the series down for Prometheus."""
    view, waiting = await asyncio.gather(_look_at(resources.ledger), _waiting(resources.sender))
    return Response(metrics.expose(view, waiting), media_type=CONTENT_TYPE_LATEST)


async def _look_at(ledger: Ledger) -> LedgerView | None:
    try:
        return LedgerView(
            await ledger.tasks.counts(), await ledger.usage.totals(), await ledger.workload.look()
        )
    except UnavailableError:
        return None  # a scrape is wanted most when something is down


async def _waiting(sender: Sender) -> dict[QueueName, int] | None:
    try:
        return {queue: await sender.depth(queue) for queue in QueueName}
    except QueueUnavailableError:
        return None


def _readiness(results: list[ProbeResult]) -> Readiness:
    failed = [result for result in results if result.error_code is not None]
    if any(result.needed for result in failed):
        return "unavailable"
    return "degraded" if failed else "ready"
