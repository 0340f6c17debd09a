"""Types the guide's AWS commands against moto, and writes down what came of each.

usage: python -m tests.integration.aws.rehearsal PAGE
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.integration.aws.guide_commands import ALL, GROUND
from tests.integration.aws.typed import Typed

ROOT = Path(__file__).parents[3]
AWS = ROOT / ".venv-aws/bin/aws"
REGION = "us-east-1"
_HEAD = """\
# The guide's AWS commands, rehearsed

Made by `make aws-rehearsal`, which types every command below, in this order, with AWS's own command
line against [moto](https://docs.getmoto.org), and compares the answers with what they should be. A
long test makes this page anew and compares it with what stands here.

**What this shows**: the commands and their arguments are right, they fit together, and their order
works. **What it does not show**: that AWS does what it was told. moto starts no task, no database
and no load balancer, allows everything, and enforces no quota. Nothing here was run on AWS.

The commands are the user guide's, with the corrections in the last column. On AWS
`deploy/terraform` makes all of this; the commands are for whoever wants to see one thing by itself.

"""


class RehearsalError(Exception):
    """A command did not say what it must say."""


def rehearse(endpoint: str, folder: Path, say: Callable[[str], None]) -> list[Typed]:
    """Type all commands.

    Args:
        endpoint: of an AWS that is empty.
        folder: where to type them; what they write stays there.
        say: told each command as it is typed.

    Returns:
        Those whose answer was compared.

    Raises:
        RehearsalError: an answer was another one.
    """
    environment = variables_of(endpoint, region=REGION)
    known: dict[str, str] = {}
    for ground in GROUND:
        known[ground.keeps] = _typed(ground, known, environment, folder)
    known |= _certificate_and_zone(environment, folder)
    # What `terraform output -json deployment` would say of the one service of the guide.
    said = {
        "region": REGION,
        "cluster": "rag-api-cluster",
        "api_url": "https://rag.example.com",
        "init": {"task_definition": "", "container": "init", "network_configuration": {}},
        "services": {"api": {"service": "api", "task_definition": "rag-api:1"}},
    }
    (folder / "deployment.json").write_text(json.dumps(said))
    for command in ALL:
        say(command.shown)
        answer = _typed(command, known, environment, folder)
        if command.keeps:
            known[command.keeps] = answer
    return ALL


def variables_of(endpoint: str, *, region: str) -> dict[str, str]:
    """Return variables with which AWS's command line finds moto, and nothing of this machine's."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _certificate_and_zone(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """What nobody types in a phase: a certificate, and the zone that a company has for years."""
    certificate = Typed(
        "", "", "acm request-certificate --domain-name rag.example.com --query CertificateArn",
        r"arn:aws:acm:\S+",
    )  # fmt: skip
    zone = Typed(
        "", "",
        "route53 create-hosted-zone --name example.com --caller-reference 1 --query HostedZone.Id",
        r"/hostedzone/\w+",
    )  # fmt: skip
    return {
        "certificate": _typed(certificate, {}, environment, folder),
        "zone": _typed(zone, {}, environment, folder).rpartition("/")[2],
    }


def _typed(command: Typed, known: dict[str, str], environment: dict[str, str], folder: Path) -> str:
    name, content = command.file
    if name:
        (folder / name).write_text(content)
    words = command.words.format(**known).split()
    typed = (
        [sys.executable, "-m", f"deploy.ecs.{words[0]}", *words[1:]]
        if command.is_ours
        else [
            str(AWS),
            "--endpoint-url",
            environment["AWS_ENDPOINT_URL"],
            *words,
            "--output",
            "text",
        ]
    )
    done = subprocess.run(
        typed, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    answer = (done.stderr if command.fails else done.stdout).strip()
    is_right = bool(done.returncode) is command.fails and re.fullmatch(command.wanted, answer)
    if not is_right:
        sentence = f"{' '.join(words)}\nended with {done.returncode}: {done.stdout}{done.stderr}"
        raise RehearsalError(sentence)
    return answer


def page(commands: list[Typed]) -> str:
    """Return the page: a row for each command that was typed."""
    parts: list[str] = []
    for part in dict.fromkeys(command.part for command in commands):
        parts.append(f"## {part}\n\n| command | came out | note |\n|---|---|---|\n")
        parts += [
            f"| `{command.shown}` | {_result(command)} | {command.note} |\n"
            for command in commands
            if command.part == part
        ]
        parts.append("\n")
    return _HEAD + "".join(parts).rstrip("\n") + "\n"


def _result(command: Typed) -> str:
    if command.is_unknown:
        return "not known to moto"
    return "refused, as it must be" if command.fails else "as wanted"


def main() -> None:
    """Rehearse, and write the page that is named."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - seconds that tests need not pay

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = rehearse(f"http://{host}:{port}", Path(folder), print)
    finally:
        server.stop()
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(done), encoding="utf-8")


if __name__ == "__main__":
    main()
