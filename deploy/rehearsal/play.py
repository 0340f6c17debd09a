"""What is done with the containers, act by act."""

from deploy.rehearsal import basics, disturbances, shapes
from deploy.rehearsal.crashes import crash_each, note_restarts
from deploy.rehearsal.front import see_front
from deploy.rehearsal.health import check_health
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.monitoring import watch
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

_STORES = {"redis", "postgres", "neo4j"}


def play(installation: Installation, transcript: Transcript) -> None:
    """Do everything; the containers and their data are gone afterwards.

    Raises:
        RehearsalError: something did not go as it should.
    """
    folder = installation.folder.parent
    with basics.gone_afterwards(installation):
        _one_host(installation, transcript)
    shapes.files_mode(installation.engine, folder, transcript)
    shapes.stores_elsewhere(installation.engine, folder, transcript)


def _one_host(installation: Installation, transcript: Transcript) -> None:
    basics.up(installation, transcript, act="Up", engine_says=True)
    visitor = Visitor.through_nginx(installation)
    rows = basics.questions(installation)
    act = "Through nginx, with TLS"
    basics.answer(installation, visitor, transcript, act=act, rows=rows)
    see_front(installation, visitor, transcript)
    helper = installation.services()["worker-extract"]["image"]
    crash_each(installation, visitor, transcript, helper=helper)
    disturbances.scale(installation, visitor, transcript, to=3)
    services = [each.service for each in installation.containers() if each.status == "running"]
    tiers = [each for each in services if each not in _STORES]
    disturbances.roll(installation, visitor, transcript, tiers)
    note_restarts(installation, transcript, act=disturbances.ROLL)
    watch(installation, visitor, transcript)
    act = "Down, and up again"
    basics.down_and_up(installation, visitor, transcript, act=act, rows=rows)
    check_health(installation, transcript)
