"""The use of models as the API shows it."""

from dataclasses import asdict
from datetime import date

from pydantic import BaseModel

from shared.ledger.accounts import UsageRow
from shared.ledger.records import Page


class UsageView(BaseModel):
    """What the calls to one model for one purpose took."""

    model: str
    purpose: str
    """query, extract, commit or other."""
    calls: int
    prompt_tokens: int
    completion_tokens: int

    @classmethod
    def of(cls, row: UsageRow) -> "UsageView":
        """Show a row of the ledger."""
        return cls(model=row.model, purpose=row.purpose, **asdict(row.used))


class DailyUsageView(UsageView):
    """The same of one workspace on one day, in UTC."""

    day: date
    workspace: str


class UsagePage(BaseModel):
    """Some days, the oldest first; `cursor` continues after them, null means that was all."""

    usage: list[DailyUsageView]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[UsageRow]) -> "UsagePage":
        """Show one page of the ledger."""
        return cls(
            usage=[
                DailyUsageView(
                    **UsageView.of(row).model_dump(),
                    day=date.fromisoformat(row.day),
                    workspace=row.workspace,
                )
                for row in page.rows
            ],
            cursor=page.cursor,
        )
