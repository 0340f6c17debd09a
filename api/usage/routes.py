"""GET /usage."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import CursorParameter, LedgerDep, LimitParameter
from api.usage.schemas import UsagePage
from shared.ids import parse_workspace_name

router = APIRouter(tags=["usage"])

_DEFAULT_DAYS = 30


@router.get("/usage")
async def list_usage(
    ledger: LedgerDep,
    *,
    workspace: Annotated[str | None, Query(max_length=100, description="All if left out.")] = None,
    first: Annotated[date | None, Query(alias="from", description="A day in UTC.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Today.")] = None,
    cursor: CursorParameter = None,
    limit: LimitParameter = 50,
) -> UsagePage:
    """List what models were used for, by day, workspace, model and purpose; the last 30 days."""
    last = last or datetime.now(UTC).date()
    first = first or date.fromordinal(max(1, last.toordinal() - _DEFAULT_DAYS + 1))
    page = await ledger.usage.page(
        workspace=None if workspace is None else parse_workspace_name(workspace),
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        cursor=cursor,
        limit=limit,
    )
    return UsagePage.of(page)
