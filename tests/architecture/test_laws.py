"""The laws of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "worker", "shared", "ops")
MAX_LINES = 300
MAX_FUNCTION_LINES = 50


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_file_has_300_lines_or_more() -> None:
    everything = sources(*PACKAGES, "tests", "bench", "migrations")
    long = {path: len(path.read_text().splitlines()) for path in everything}
    assert {path: lines for path, lines in long.items() if lines >= MAX_LINES} == {}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_function_has_more_than_50_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources(*PACKAGES)
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_every_module_opens_with_one_sentence() -> None:
    silent = [
        path for path in sources(*PACKAGES) if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_only_settings_reads_the_environment() -> None:
    reading = re.compile(r"\bos\.(environ|getenv)\b|\bfrom os import .*\b(environ|getenv)\b")
    readers = {
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if reading.search(path.read_text())
    }
    # The second one writes what LightRAG's storages read; it reads nothing.
    assert readers == {"shared/settings.py", "shared/rag/environment.py"}


def test_the_bridge_to_lightrag_only_writes_the_environment() -> None:
    text = (ROOT / "shared/rag/environment.py").read_text()
    assert set(re.findall(r"os\.environ\.?\w*", text)) == {"os.environ.pop", "os.environ.update"}


def test_the_storage_switch_is_looked_at_only_in_settings_and_factories() -> None:
    looking = re.compile(r"\buse_external_storage\b|\bsettings\.external\b|USE_EXTERNAL_STORAGE")
    allowed = {
        "shared/settings.py",
        "shared/settings_sections.py",
        "shared/connections.py",  # the ledger's address
        "shared/rag/engine.py",  # LightRAG's storages
        "shared/rag/environment.py",  # LightRAG's variables
        "shared/rag/initialisation.py",  # the lock around their creation
        "shared/objects/factory.py",  # the folder of uploads
        "shared/startup.py",  # says which it is
        "ops/up.py",  # which processes there are
        "ops/services.py",  # their variables
        "ops/settings_in_use.py",  # whether a running system's are meant
        "ops/migrate/installation.py",  # what it is to fill them
        "ops/migrate/opening.py",  # whether another process may have them
        "ops/migrate/switching.py",  # what people are told to set
    }
    looks = {
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if looking.search(path.read_text())
    }
    assert looks <= allowed


# Off by default, and then it must cost nothing. (The Redis client loads the SDK for metrics,
# where it is installed, as it is for tests.)
_TRACES = "opentelemetry.sdk.trace"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "api.app",
            [
                "worker",
                "celery.app.trace",
                "pypdfium2",
                "xberg",
                "pebble",
                "flower",
                "boto3",
                _TRACES,
            ],
        ),
        ("worker.celery_app", ["api", "fastapi", "starlette", "uvicorn", "ops", "boto3", _TRACES]),
        ("worker.beat", ["api", "lightrag", "boto3", "sqlalchemy.ext.asyncio", "asyncpg", _TRACES]),
        ("shared.ledger.ledger", ["celery", "fastapi", "lightrag"]),
        ("worker.parsing", ["lightrag", "celery", "fastapi", "sqlalchemy"]),
    ],
)
def test_a_tier_loads_without_the_others(module: str, absent: list[str]) -> None:
    code = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.strip() == "[]"


def tracked_texts() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        try:
            yield name, (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def test_requirements_carry_no_registry_address() -> None:
    addresses = [
        name
        for name, text in tracked_texts()
        if name.startswith("requirements/")
        and re.search(r"https?://|--index-url|--find-links", text)
    ]
    assert addresses == []


def test_every_requirement_is_pinned_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.findall(r"^[\w.\[\]-]+==\S+", path.read_text(), re.MULTILINE)
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}", path.read_text())
        assert pins, path
        assert len(hashes) >= len(pins), path


def test_the_project_names_no_path_of_a_developers_machine() -> None:
    machine = re.compile(r"/(?:root|home|Users)/[a-z]|/work/")
    found = [
        name
        for name, text in tracked_texts()
        if name != "tests/architecture/test_laws.py" and machine.search(text)
    ]
    assert found == []
