"""Each line of the table: what is counted, how much of it, and what it costs in a month."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.terraform.costs.profile import Profile, ServiceSize

_HERE = Path(__file__).parent
HOURS = 730
"""In a month, as AWS counts them."""

Table = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One thing that is paid for."""

    what: str
    counted: str
    usd: float


def prices() -> Table:
    """Return the list prices."""
    return tomllib.loads((_HERE / "prices.toml").read_text(encoding="utf-8"))


def load(name: str) -> Table:
    """Return what a month is like."""
    loads: Table = tomllib.loads((_HERE / "loads.toml").read_text(encoding="utf-8"))
    return dict(loads[name])


def monthly(profile: Profile, month: Table, price: Table) -> list[Line]:
    """Compute all lines of one month.

    Args:
        profile: what there is.
        month: how it is used; one table of loads.toml.
        price: prices.toml.
    """
    return [
        *_services(profile, month, price["fargate"]),
        *_stores(profile, month, price),
        *_network(profile, month, price),
        *_watch(profile, month, price),
    ]


def _between(least: float, most: float, month: Table) -> float:
    """Average over a month that is busy for some hours."""
    return least + (most - least) * float(month["busy_hours"]) / HOURS


def _services(profile: Profile, month: Table, price: Table) -> Iterator[Line]:
    for service in profile.services:
        tasks = _between(service.fewest, service.most, month)
        spot = ", Spot" if service.spot else ""
        size = f"{service.vcpu:g} vCPU, {service.memory_gib:g} GiB{spot}"
        usd = tasks * _task_hour(service, profile.architecture, price) * HOURS
        yield Line(f"Fargate: {service.name}", f"{tasks:.2f} tasks of {size}", usd)


def _task_hour(service: ServiceSize, architecture: str, price: Table) -> float:
    computing = (
        service.vcpu * price["vcpu_hour"][architecture]
        + service.memory_gib * price["gib_hour"][architecture]
    )
    disk = max(0, service.disk_gib - price["free_disk_gib"]) * price["disk_gib_hour"]
    return float(computing * (price["spot_share"] if service.spot else 1) + disk)


def _stores(profile: Profile, month: Table, price: Table) -> Iterator[Line]:
    aurora, storage = price["aurora"], price["storage"]
    busy_acu = max(profile.aurora_least_acu, profile.aurora_most_acu / 2)
    acu = _between(profile.aurora_least_acu, busy_acu, month) * profile.aurora_instances
    yield Line("Aurora: capacity", f"{acu:.2f} ACU", acu * aurora["acu_hour"] * HOURS)
    kept = month["aurora_gb"] * aurora["storage_gb"]
    read = month["aurora_million_ios"] * aurora["million_ios"]
    counted = f"{month['aurora_gb']} GB, {month['aurora_million_ios']} million I/Os"
    yield Line("Aurora: storage", counted, kept + read)
    node_hour = price["elasticache"][f"{profile.redis_engine}_hour"][profile.redis_node]
    counted = f"{profile.redis_nodes} × {profile.redis_node} ({profile.redis_engine})"
    yield Line("ElastiCache", counted, profile.redis_nodes * node_hour * HOURS)
    if profile.neo4j_machine:
        yield _neo4j(profile, price["ec2"])
    kept = month["s3_gb"] * storage["s3_gb"] + month["ecr_gb"] * storage["ecr_gb"]
    counted = f"{month['s3_gb']} GB uploads and backups, {month['ecr_gb']} GB images"
    yield Line("S3, ECR", counted, kept)


def _neo4j(profile: Profile, price: Table) -> Line:
    disk = profile.neo4j_disk_gib * (price["disk_gb"] + price["snapshot_gb"])
    counted = f"{profile.neo4j_machine}, {profile.neo4j_disk_gib} GiB and its snapshots"
    return Line("Neo4j on EC2", counted, price["hour"][profile.neo4j_machine] * HOURS + disk)


def _network(profile: Profile, month: Table, price: Table) -> Iterator[Line]:
    network, balancer, waf = price["network"], price["load_balancer"], price["waf"]
    units = month["load_balancer_capacity"]
    usd = (balancer["hour"] + units * balancer["capacity_unit_hour"]) * HOURS
    yield Line("Load balancer", f"1, {units} capacity units", usd)
    usd = waf["acl"] + profile.waf_rules * waf["rule"]
    usd += month["million_requests"] * waf["million_requests"]
    counted = f"1 list, {profile.waf_rules} rules, {month['million_requests']} million requests"
    yield Line("Firewall (WAF)", counted, usd)
    yield _way_out(profile, month, price)
    usd = profile.public_addresses * network["public_ip_hour"] * HOURS
    yield Line("Public addresses", f"{profile.public_addresses}", usd)
    if profile.endpoints:
        usd = profile.endpoints * network["endpoint_hour"] * HOURS
        usd += month["logs_gb"] * network["endpoint_gb"]
        yield Line("Interface endpoints", f"{profile.endpoints}", usd)
    usd = month["out_gb"] * network["out_gb"]
    usd += month["between_zones_gb"] * network["between_zones_gb"]
    counted = f"{month['out_gb']} GB out, {month['between_zones_gb']} GB between zones"
    yield Line("Traffic", counted, usd)


def _way_out(profile: Profile, month: Table, price: Table) -> Line:
    if profile.nat_machine:
        machine = price["ec2"]
        disk = machine["nat_disk_gb"] * machine["disk_gb"]
        usd = machine["hour"][profile.nat_machine] * HOURS + disk
        return Line("NAT machine", f"{profile.nat_machine}, {month['nat_gb']} GB", usd)
    network = price["network"]
    usd = profile.nat_gateways * network["nat_hour"] * HOURS + month["nat_gb"] * network["nat_gb"]
    return Line("NAT gateways", f"{profile.nat_gateways}, {month['nat_gb']} GB", usd)


def _watch(profile: Profile, month: Table, price: Table) -> Iterator[Line]:
    watch = price["cloudwatch"]
    usd = profile.custom_metrics * watch["metric"] + profile.alarm_metrics * watch["alarm_metric"]
    counted = f"{profile.custom_metrics} metrics, alarms on {profile.alarm_metrics} metrics"
    yield Line("CloudWatch: metrics, alarms", counted, usd)
    yield Line("CloudWatch: logs", f"{month['logs_gb']} GB", month["logs_gb"] * watch["logs_gb"])
    if profile.insights != "disabled":
        tasks = sum(_between(one.fewest, one.most, month) for one in profile.services)
        metrics = (
            len(profile.services) * watch["insights_metrics_of_service"][profile.insights]
            + tasks * watch["insights_metrics_of_task"][profile.insights]
        )
        usd = metrics * watch["insights_metric"][profile.insights]
        yield Line("Container Insights", f"about {metrics:.0f} metrics", usd)
    if profile.guardduty:
        duty = price["guardduty"]
        usd = month["million_events"] * duty["million_events"] + month["flow_gb"] * duty["flow_gb"]
        yield Line(
            "GuardDuty", f"{month['million_events']} million events, {month['flow_gb']} GB", usd
        )
    secrets, keys = price["secrets"]["secret"], price["keys"]["key"]
    usd = profile.secrets * secrets + profile.keys * keys
    yield Line("Secrets, keys", f"{profile.secrets} secrets, {profile.keys} key", usd)
