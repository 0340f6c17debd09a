"""docs/api.md explains every error code, with the status and the sentence that the code has."""

import ast
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from api import errors as api_errors
from api.error_handlers import STATUS
from shared import errors as shared_errors

ROOT = Path(__file__).parents[3]
HEADING = "| code | status | meaning |"
# Both tiers know these, but no request is ever answered with one of them.
ONLY_OF_TASKS = {"AttemptsExhaustedError", "DeadlineExceededError", "StageInterruptedError"}


def documented_rows() -> list[str]:
    lines = (ROOT / "docs/api.md").read_text(encoding="utf-8").splitlines()
    table = lines[lines.index(HEADING) + 2 :]
    return [*takewhile(bool, table)]


def expected_rows() -> list[str]:
    return sorted(
        f"| `{code}` | {status} | {sentence.replace('<', chr(92) + '<')} |"
        for status, code, sentence in error_classes()
    )


def error_classes() -> Iterator[tuple[str, str, str]]:
    """Read, not imported: the tiers' modules bring LightRAG and seconds with them."""
    for package in ("api", "shared", "worker"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and (code := code_of(node)):
                    sentence = (ast.get_docstring(node) or "").splitlines()[0]
                    yield status_of(node.name, package=package), code, sentence


def code_of(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str() as code))
                | ast.AnnAssign(target=ast.Name("code"), value=ast.Constant(str() as code))
            ):
                return code
    return None


def status_of(name: str, *, package: str) -> str:
    if package == "worker" or name in ONLY_OF_TASKS:
        return "task"  # it happens to a task, long after the request was answered
    if name == "SettingsError":
        return "start"  # then there is no API that could answer
    error = getattr(api_errors if package == "api" else shared_errors, name)
    return str(next(STATUS[ancestor].value for ancestor in error.__mro__ if ancestor in STATUS))


def test_every_error_code_is_explained_as_the_code_has_it() -> None:
    assert "\n".join(documented_rows()) == "\n".join(expected_rows())
