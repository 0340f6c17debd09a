"""`docker compose …` as the runbooks type it, over the same programs without an engine.

The tiers run by `ragfleet up` beside servers that are there already; a command in a container runs
in a process here. What is mounted and the volume `data` are folders. STAND_IN names a file of JSON:
`one_host` are the settings of the compose file's own stores, `managed` what no `.env` of AWS has.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
STORES = {"redis", "postgres", "neo4j"}
PASSWORDS = {
    "API_KEY_FILE": "api_key",
    "REDIS_PASSWORD_FILE": "redis_password",
    "POSTGRES_PASSWORD_FILE": "postgres_password",
    "NEO4J_PASSWORD_FILE": "neo4j_password",
}


def environment() -> dict[str, str]:
    """What the compose file, or both, give a container of ours."""
    said = json.loads(Path(os.environ["STAND_IN"]).read_text())  # noqa: TID251 - a program of tests
    here = Path.cwd()
    found = {
        **os.environ,  # noqa: TID251 - same
        **{name: str(here / "secrets" / file) for name, file in PASSWORDS.items()},
        "USE_EXTERNAL_STORAGE": "true",
        "DATA_DIR": str(here / "volume"),
    }
    if "docker-compose.aws.yml" not in (here / ".env").read_text():
        return found | said["one_host"]
    managed = {"REDIS_SSL": "true", "POSTGRES_SSLMODE": "verify-full", "OBJECT_STORE": "s3"}
    return found | managed | said["managed"]


def run(words: list[str]) -> int:
    """Run a command in a container that is gone afterwards."""
    mounts = {"/data": str(Path.cwd() / "volume")}
    program = ""
    while words[0].startswith("-"):
        option = words.pop(0)
        if option == "-v":
            outside, inside, *_ = words.pop(0).split(":")
            mounts[inside] = outside
        elif option == "--entrypoint":
            program = words.pop(0)
    service = words.pop(0)
    assert service == "ragfleet", service
    for inside, outside in mounts.items():
        words = [word.replace(f"{inside}/", f"{outside}/") for word in words]
    return call(program or str(BIN / "ragfleet"), words)


def call(program: str, words: list[str]) -> int:
    return subprocess.run([program, *words], env=environment(), check=False).returncode


def main(words: list[str]) -> int:
    assert words.pop(0) == "compose"
    asked, *rest = words
    services = {word for word in rest if not word.startswith("-")}
    ragfleet = str(BIN / "ragfleet")
    match asked:
        case "run":
            return run(rest)
        case "up":
            return 0 if services and services <= STORES else call(ragfleet, ["up", "--detach"])
        case "stop" | "down":
            return call(ragfleet, ["up", "--down"])
        case "ps":
            sys.stdout.write("0123456789ab\n" if "--quiet" in rest else "api running healthy\n")
            return 0
        case "config":
            return 0  # tests/unit/deploy/test_compose.py asks the real one
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
