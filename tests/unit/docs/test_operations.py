"""What the pages of docs/operations name is there: commands, options, codes, settings, links."""

import argparse
import ast
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from ops.cli import app
from tests.unit.docs.typed import blocks, commands, lines, spans

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs/operations"
PAGES = sorted(FOLDER.glob("*.md"))
RAGFLEET = typer.main.get_command(app)
SOURCES = ("api", "shared", "worker", "ops", "deploy")
NO_ENGINE = {"--rm", "-T", "-d", "--detach", "--wait", "--no-deps", "--build", "--volumes",
             "--force-recreate", "--quiet", "--remove-orphans"}  # fmt: skip
WITH_VALUE = {"-f", "-v", "--entrypoint", "--scale", "--tail", "--since", "--profile"}


OF_OTHERS = {
    "AWS_DEFAULT_REGION", "COMPOSE_FILE", "ECS_AGENT_URI",
    # What a person puts in.
    "HOST_SECURITY_GROUP", "HOST_INSTANCE", "BUCKET_OF_BACKUPS", "API_REPOSITORY",
    "WORKER_REPOSITORY", "NEW_KEY",
}  # fmt: skip


class _Understood(BaseException):
    """Thrown instead of doing what was asked."""


def parse(command: Any, words: list[str]) -> None:
    """Read words as the command line does, without doing it; what is unknown is an error."""
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    context = command.context_class(command)
    _, rest, _ = command.make_parser(context).parse_args(args=list(words))
    most = sum(100 if one.nargs < 0 else one.nargs for one in command.params
               if one.param_type_name == "argument")  # fmt: skip
    if not hasattr(command, "commands"):
        assert len(rest) <= most, f"{command.name} takes no {rest}"
    else:
        assert not rest, f"there is no command {rest}"


def of_ragfleet(words: list[str], _: pytest.MonkeyPatch) -> None:
    parse(RAGFLEET, words[1:])


def of_python(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if words[1].endswith(".py"):
        found = runpy.run_path(str(ROOT / words[1]))
        script = typer.Typer()
        script.command()(found["main"])
        parse(typer.main.get_command(script), words[2:])
        return
    assert words[1] == "-m", words
    monkeypatch.setattr(sys, "argv", words[2:])
    real = argparse.ArgumentParser.parse_args

    def parse_args(self: argparse.ArgumentParser, *_: object) -> None:
        real(self)
        raise _Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    sys.modules.pop(words[2], None)
    with pytest.raises(_Understood):
        runpy.run_module(words[2], run_name="__main__")


def of_health_check(words: list[str], _: pytest.MonkeyPatch) -> None:
    assert (ROOT / words[0]).is_file()
    parse(RAGFLEET, ["health", *words[1:]])


def of_make(words: list[str], _: pytest.MonkeyPatch) -> None:
    text = "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("deploy/*.mk")])
    for target in (word for word in words[1:] if "=" not in word):
        assert re.search(rf"^{re.escape(target)}( .*)?:", text, re.MULTILINE), target


def of_compose(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if words[1:2] != ["compose"] or len(words) == 2:
        return
    rest, entry = words[2:], ""
    file = ROOT / (rest[1] if rest[:1] == ["-f"] else "docker-compose.yml")
    named = re.sub(r"!\w+ ?", "", file.read_text())
    services = set(yaml.safe_load(named)["services"])
    asked: str | None = None
    plain: list[str] = []
    while rest:
        word, rest = rest[0], rest[1:]
        if word in WITH_VALUE:
            entry, rest = (rest[0] if word == "--entrypoint" else entry), rest[1:]
        elif word.startswith("-"):
            assert word in NO_ENGINE or (asked == "logs" and word == "-f"), f"{word} in {words}"
        elif asked is None:
            asked = word
        else:
            plain.append(word)
            if asked in {"run", "exec"}:
                break
    assert asked in {"up", "down", "stop", "run", "exec", "logs", "ps", "config"}, words
    assert set(plain) <= services, f"{set(plain) - services} in {words}"
    if asked == "run" and plain == ["ragfleet"] and not entry:
        parse(RAGFLEET, rest)
    elif asked == "run" and rest[:1] == ["ragfleet"]:
        parse(RAGFLEET, rest[1:])


KNOWN = {
    "ragfleet": of_ragfleet,
    "python": of_python,
    "scripts/health_check.sh": of_health_check,
    "make": of_make,
    "docker": of_compose,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_names_is_there(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for words, is_whole in commands(page.read_text(encoding="utf-8")):
        program = words[0].removeprefix(".venv-deploy/bin/").removeprefix(".venv/bin/")
        if check := KNOWN.get(program):
            with monkeypatch.context() as patched:
                try:
                    check([program, *words[1:]], patched)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - all are listed
                    said = capsys.readouterr().err[-200:]
                    if is_whole or not re.search(
                        r"are required: |wants --name|expected one argument", said
                    ):
                        wrong.append(f"{' '.join(words)}: {error!r} {said}")
    assert wrong == []


def strings_of_the_code() -> set[str]:
    found: set[str] = set()
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Constant(str() as value):
                        found.add(value)
                    case ast.AnnAssign(ast.Name(field)):  # what an answer of the API has
                        found.add(field)
    return found


def test_every_error_code_that_a_page_names_is_one() -> None:
    known = strings_of_the_code()
    terraform = "".join(path.read_text() for path in (ROOT / "deploy/terraform").rglob("*.tf*"))
    wrong = []
    for page in PAGES:
        for span in spans(page.read_text(encoding="utf-8")):
            code = re.match(r"((?:doctor|health)\.[a-z0-9_]+|[a-z]+(?:_[a-z0-9]+)+)(?=$|: )", span)
            if code and code[1] not in known and not re.search(rf"\b{code[1]}\b", terraform):
                wrong.append(f"{page.name}: {code[1]}")
    assert wrong == []


def test_every_setting_that_a_page_names_is_one() -> None:
    places = [*ROOT.glob("docker-compose*.yml"), ROOT / ".env.example", ROOT / "ops/init_env.py"]
    places += [*ROOT.glob("deploy/*.mk"), *ROOT.glob(".github/workflows/*.yml")]
    known = set(re.findall(r"[A-Z][A-Z0-9_]+", "".join(path.read_text() for path in places)))
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"\b(?:[A-Z][A-Z0-9]*_)+[A-Z0-9]+\b", text):
            if name not in known | OF_OTHERS:
                wrong.append(f"{page.name}: {name}")  # noqa: PERF401 - read more easily so
    assert wrong == []


def headings(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    wrong = []
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_phase_has_its_page_both_ways(number: int) -> None:
    page = (FOLDER / f"phase-{number}.md").read_text(encoding="utf-8")
    assert f"phase-{number}.md" in (FOLDER / "README.md").read_text(encoding="utf-8")
    for part in ("## Forward", "## Back", "Back from here", "It worked when", "point of no return"):
        assert part.lower() in page.lower(), part
    assert len([line for block in blocks(page, "sh") for line in lines(block)]) >= 10
