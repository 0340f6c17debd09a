"""All about one workspace: what it was filled with, its tables, commits and contents."""

from collections.abc import Awaitable, Sequence

from ops.doctor import ledger_checks, position_checks, schema_checks
from ops.doctor.contents.comparing import Compared, compare
from ops.doctor.contents.inventory import Item
from ops.doctor.contents.questions import QUESTIONS, Question
from ops.doctor.contents.reading import Contents, contents_of
from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter, Status
from shared.errors import AppError
from shared.ledger.records import Workspace
from shared.rag.store_errors import translated_store_errors

_SHOWN = 3
_LONGEST_SHOWN = 80


async def check_workspace(ground: Ground, workspace: Workspace) -> list[Finding]:
    """Make all checks of one workspace."""
    found = await _one(
        "doctor.embedding", workspace, ledger_checks.check_embedding(ground, workspace)
    )
    has_same_embedding = all(one.status is not Status.ERROR for one in found)
    for code, check in _OF_LEDGER.items():
        found += await _one(code, workspace, check(ground, workspace))
    if ground.neo4j is not None:
        constraint = schema_checks.check_constraint(ground, workspace)
        found += await _one("doctor.neo4j_constraint", workspace, constraint)
    if not has_same_embedding:  # its tables of vectors have another name, and seem to be empty
        reporter = Reporter("doctor.contents", workspace.name)
        return [*found, reporter.skipped("See doctor.embedding first.")]
    async with contents_of(ground, workspace) as contents:
        if contents.rag is not None:
            tables = schema_checks.check_vector_tables(contents)
            found += await _one("doctor.vector_tables", workspace, tables)
        found += await _one("doctor.contents", workspace, _contents(contents))
    return found


_OF_LEDGER = {
    "doctor.journals": ledger_checks.check_journals,
    "doctor.store_position": position_checks.check_positions,
    "doctor.quarantine": ledger_checks.check_quarantine,
}


async def _one(
    code: str, workspace: Workspace, check: Awaitable[Finding | Sequence[Finding]]
) -> list[Finding]:
    """Make one check; that it cannot be made is a finding of its own."""
    try:
        with translated_store_errors():
            found = await check
    except AppError as error:
        return [Reporter(code, workspace.name).error(f"{error.code}: {error.detail}")]
    return [found] if isinstance(found, Finding) else list(found)


async def _contents(contents: Contents) -> list[Finding]:
    compared = await compare(contents)
    return [_finding(one, compared, contents.workspace) for one in QUESTIONS]


def _finding(question: Question, compared: Compared, workspace: Workspace) -> Finding:
    items = compared.answers[question.code]
    reporter = Reporter(question.code, workspace.name)
    if not items:
        return reporter.ok(question.fine)
    meanwhile = " A commit is half applied: look again after it." if compared.half_applied else ""
    return Finding(
        question.code,
        question.status,
        f"{len(items):,} {question.wrong}{meanwhile}",
        workspace.name,
        question.repairable,
        len(items),
        tuple(map(_shown, items[:_SHOWN])),
    )


def _shown(item: Item) -> str:
    return " – ".join(part for part in item if part)[:_LONGEST_SHOWN]
