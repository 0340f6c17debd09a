"""Images: equal commits give equal inputs, nothing stands in the way of SIGTERM, nobody is root."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILES = ("Dockerfile.api", "Dockerfile.worker")
COPY = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
SITE_PACKAGES = Path(importlib.util.find_spec("lightrag").origin).parents[1]  # type: ignore[union-attr, arg-type] # it is installed


def inputs(checkout: Path, dockerfile: str) -> Iterator[Path]:
    """What a Dockerfile copies, as .dockerignore lets it: without caches of Python."""
    for sources in COPY.findall((checkout / dockerfile).read_text()):
        for source in sources.split():
            path = checkout / source
            files = path.rglob("*") if path.is_dir() else [path]
            yield from (one for one in files if one.is_file() and one.parent.name != "__pycache__")


def digest(checkout: Path, dockerfile: str) -> str:
    """One number for everything that goes into an image: names, modes and contents."""
    found = hashlib.sha256((checkout / dockerfile).read_bytes())
    for path in sorted(set(inputs(checkout, dockerfile))):
        executable = bool(path.stat().st_mode & 0o100)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{path.relative_to(checkout)} {executable} {content}\n".encode())
    return found.hexdigest()


@pytest.fixture
def two_checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """The same files twice, as they are here, written at different times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    for checkout in ("first", "second"):
        for name in names:
            target = tmp_path / checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return tmp_path / "first", tmp_path / "second"


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_two_checkouts_of_a_commit_give_an_image_the_same_inputs(
    dockerfile: str, two_checkouts: tuple[Path, Path]
) -> None:
    first, second = two_checkouts
    assert digest(first, dockerfile) == digest(second, dockerfile)
    with (second / "shared/errors.py").open("a") as file:
        file.write("\n")
    assert digest(first, dockerfile) != digest(second, dockerfile)


def test_a_change_of_the_workers_leaves_the_image_of_the_api_as_it_is(
    two_checkouts: tuple[Path, Path],
) -> None:
    first, second = two_checkouts
    with (second / "worker/main.py").open("a") as file:
        file.write("\n")
    assert digest(first, "Dockerfile.api") == digest(second, "Dockerfile.api")
    assert digest(first, "Dockerfile.worker") != digest(second, "Dockerfile.worker")


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_everything_that_is_copied_may_be_seen_by_the_build(dockerfile: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for sources in COPY.findall((ROOT / dockerfile).read_text()):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, source


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_the_process_gets_signals_itself_and_is_not_root(dockerfile: str) -> None:
    text = (ROOT / dockerfile).read_text()
    final = text[text.rindex("\nFROM ") :]
    assert re.search(r'^CMD \["python", ', final, re.MULTILINE)
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert not re.search(r"^# *syntax=", text, re.MULTILINE)


@pytest.mark.parametrize("image", ["api", "worker"])
def test_an_image_has_the_versions_that_tests_have(image: str) -> None:
    pin = re.compile(r"^([\w.-]+)==([^ \\;]+)", re.MULTILINE)
    tested = dict(pin.findall((ROOT / "requirements/runtime.txt").read_text()))
    tested |= dict(pin.findall((ROOT / "requirements/otel.txt").read_text()))
    shipped = dict(pin.findall((ROOT / f"requirements/{image}.txt").read_text()))
    assert shipped
    assert {name: tested.get(name) for name in shipped} == shipped


def left_out() -> list[str]:
    lines = (ROOT / "deploy/images/left_out.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("path", left_out())
def test_what_is_left_out_is_still_there_to_be_left_out(path: str) -> None:
    assert (SITE_PACKAGES / path).exists()


@pytest.mark.parametrize(
    "name",
    [
        "alembic.testing",
        "google",
        "jieba.analyse",
        "jieba.lac_small",
        "lightrag.api",
        "lightrag.evaluation",
        "lightrag.tools",
        "numpy.f2py",
        "numpy.testing",
        "pandas",
        "pkg_resources",
        "setuptools",
        "sqlalchemy.testing",
        "xlsxwriter",
    ],
)
def test_nothing_of_ours_imports_what_is_left_out(name: str) -> None:
    importing = re.compile(rf"^\s*(import|from) {re.escape(name)}\b", re.MULTILINE)
    assert [path for path in sources() if importing.search(path.read_text())] == []


def test_every_service_of_aws_that_is_asked_is_described_in_the_images() -> None:
    lines = (ROOT / "deploy/images/aws_services.txt").read_text().splitlines()
    kept = {line for line in lines if line and not line.startswith("#")}
    opening = re.compile(r"(?:boto3\.|open_)client\(\s*\"([\w-]+)\"")
    asked = {name for path in sources() for name in opening.findall(path.read_text())}
    assert {"s3", "cloudwatch", "secretsmanager"} <= asked
    assert asked <= kept
    assert [name for name in kept if not (SITE_PACKAGES / "botocore/data" / name).is_dir()] == []


def sources() -> Iterator[Path]:
    for tier in ("api", "worker", "shared", "ops"):
        yield from (ROOT / tier).rglob("*.py")
