"""Let a name in Route 53 mean one host instead of the load balancer, or put it back."""

import argparse
import json
from pathlib import Path
from typing import Any

from deploy.ecs.command import client, end, say
from deploy.ecs.errors import DescriptionError
from deploy.ecs.services import Patience

# Whoever asked before the change goes to the old place for so long.
_TTL_S = 60

Client = Any
"""boto3 makes its classes as it goes."""
Record = dict[str, Any]


def point_to(route53: Client, zone: str, name: str, address: str, before: Path) -> str:
    """Let a name mean an IPv4 address.

    Args:
        route53: boto3's client.
        zone: the hosted zone.
        name: such as rag.example.com.
        address: of the host.
        before: where to write, first of all, what the name means now.

    Returns:
        The id of the change, for `await_change`.

    Raises:
        DescriptionError: the name means nothing yet: it is probably misspelt.
    """
    now = record_of(route53, zone, name)
    if now is None:
        raise DescriptionError(f"The zone {zone} has no A record {name}; is the name right?")
    if not before.exists():  # a second attempt must not take the first one's for it
        before.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    new = {
        "Name": now["Name"],
        "Type": "A",
        "TTL": _TTL_S,
        "ResourceRecords": [{"Value": address}],
    }
    return _change(route53, zone, new)


def put_back(route53: Client, zone: str, before: Path) -> str:
    """Let the name mean what `point_to` wrote down; returns the id of the change.

    Raises:
        DescriptionError: it wrote nothing there.
    """
    try:
        record = json.loads(before.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sentence = f"{before} is not what `dns to` wrote ({type(error).__name__})."
        raise DescriptionError(sentence) from None
    return _change(route53, zone, record)


def record_of(route53: Client, zone: str, name: str) -> Record | None:
    """Return what a name means now; None: nothing."""
    wanted = name.rstrip(".") + "."
    answer = route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=wanted, StartRecordType="A", MaxItems="1"
    )
    found = [
        one for one in answer["ResourceRecordSets"] if one["Name"] == wanted and one["Type"] == "A"
    ]
    return dict(found[0]) if found else None


def await_change(route53: Client, change: str, patience: Patience) -> None:
    """Wait until all of Amazon's name servers know it."""
    for _ in range(patience.looks()):
        if route53.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC":
            return
        patience.sleep(patience.every_s)


def _change(route53: Client, zone: str, record: Record) -> str:
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    answer = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    return str(answer["ChangeInfo"]["Id"])


def main(arguments: argparse.Namespace) -> None:
    """Change the name that the arguments say."""
    route53 = client("route53", "us-east-1")  # it has no regions
    if arguments.what == "to":
        change = point_to(
            route53, arguments.zone, arguments.name, arguments.address, arguments.before
        )
    else:
        change = put_back(route53, arguments.zone, arguments.before)
    await_change(route53, change, Patience(at_most_s=300))
    say(f"Changed; whoever knew the name before asks again within {_TTL_S} s.")


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("what", choices=["to", "back"])
    given.add_argument("--zone", required=True, help="id of the hosted zone")
    given.add_argument("--name", default="", help="with `to`: such as rag.example.com")
    given.add_argument("--address", default="", help="with `to`: IPv4 address of the host")
    given.add_argument("--before", type=Path, default=Path("record.json"))
    read = given.parse_args()
    if read.what == "to" and not (read.name and read.address):
        given.error("`to` wants --name and --address")
    end(lambda: main(read))
