"""The two other shapes of an installation: one container over files, or stores elsewhere."""

from contextlib import ExitStack
from pathlib import Path

from deploy.rehearsal import basics, managed
from deploy.rehearsal.engine import Engine
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.preparation import prepare_tree
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

FILES_MODE = ("docker-compose.files.yml",)
AWS = ("docker-compose.yml", "docker-compose.aws.yml")


def files_mode(engine: Engine, folder: Path, transcript: Transcript) -> None:
    """Start files mode, have a question answered, take it down and up: its volume has everything.

    Raises:
        RehearsalError: something did not go as it should.
    """
    act = "docker-compose.files.yml"
    project = {"COMPOSE_PROJECT_NAME": "ragfleet-rehearsal-files"}
    tree = prepare_tree(folder / "files", project)
    installation = Installation(engine, tree, files=FILES_MODE)
    with basics.gone_afterwards(installation):
        basics.up(installation, transcript, act=act, engine_says=True)
        visitor = Visitor.of_port(installation, "fleet")
        rows = basics.questions(installation)[:1]
        basics.answer(installation, visitor, transcript, act=act, rows=rows)
        basics.down_and_up(installation, visitor, transcript, act=act, rows=rows)


def stores_elsewhere(engine: Engine, folder: Path, transcript: Transcript) -> None:
    """Start phase 2: the compose project has no store, and TLS alone leads to those elsewhere.

    Raises:
        RehearsalError: something did not go as it should.
    """
    act = "docker-compose.aws.yml"
    project = "ragfleet-rehearsal-aws"
    tree = prepare_tree(folder / "aws", {**managed.SETTINGS, "COMPOSE_PROJECT_NAME": project})
    images = {name: row["image"] for name, row in Installation(engine, tree).services().items()}
    installation = Installation(engine, tree, files=AWS)
    with basics.gone_afterwards(installation), ExitStack() as until_the_end:
        with transcript.step(act, "stores outside of the project, which speak TLS alone") as entry:
            network = f"{project}_stores"
            until_the_end.enter_context(
                managed.stores_elsewhere(installation, images=images, network=network)
            )
            entry.seen["S3"] = "not stood in for: OBJECT_STORE=local"
        basics.up(installation, transcript, act=act)
        visitor = Visitor.of_port(installation, "api")
        rows = basics.questions(installation)[:1]
        basics.answer(installation, visitor, transcript, act=act, rows=rows)
