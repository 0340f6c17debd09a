"""The services on ECS: private, reached only by the load balancer, secrets from Secrets Manager."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.asking import Client, NotAnsweredError, ask, open_client

TASKS = Reporter("doctor.security_aws_tasks")
GROUPS = Reporter("doctor.security_aws_security_groups")
SECRETS = Reporter("doctor.security_aws_secrets")
WAF = Reporter("doctor.security_aws_waf")
_MOST_SERVICES = 10  # of one question
# How names of secrets end; LLM_TOKENS_PER_MINUTE is none.
_SECRET_ENDS = ("PASSWORD", "_KEY", "SECRET", "TOKEN", "BROKER_URL", "OTLP_HEADERS")
_PASSWORD_IN_ADDRESS = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})


@dataclass(frozen=True)
class Cluster:
    """What was read of the services of one cluster."""

    services: tuple[dict[str, Any], ...]

    def networks(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name each service's network."""
        for one in self.services:
            yield one["serviceName"], one["networkConfiguration"]["awsvpcConfiguration"]

    def groups(self) -> set[str]:
        """Return the security groups of all tasks."""
        return {group for _, network in self.networks() for group in network["securityGroups"]}


def read_cluster(name: str) -> Cluster:
    """Read the services of a cluster.

    Raises:
        NotAnsweredError: AWS does not answer, or there are no services.
    """
    ecs = open_client("ecs")
    pages = ecs.get_paginator("list_services").paginate(cluster=name)
    arns: list[str] = ask(lambda: [arn for page in pages for arn in page["serviceArns"]])
    found: list[dict[str, Any]] = []
    for start in range(0, len(arns), _MOST_SERVICES):
        some = arns[start : start + _MOST_SERVICES]
        found += ask(ecs.describe_services, cluster=name, services=some)["services"]
    if not found:
        raise NotAnsweredError(f"the cluster {name} has no services")
    return Cluster(tuple(found))


def check_tasks(cluster: Cluster) -> Finding:
    """Look for tasks that the internet could reach.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    ec2 = open_client("ec2")
    complaints = []
    for name, network in cluster.networks():
        if network.get("assignPublicIp", "DISABLED") != "DISABLED":
            complaints.append(f"{name} has public addresses")
        public = [subnet for subnet in network["subnets"] if _is_public(ec2, subnet)]
        if public:
            complaints.append(f"{name} is in public subnets ({', '.join(public)})")
    if complaints:
        return TASKS.error(f"{'; '.join(complaints)}. Use private subnets and no public address.")
    return TASKS.ok("All tasks are in private subnets and have no public address.")


def _is_public(ec2: Client, subnet: str) -> bool:
    """Tell whether a subnet's routes lead straight to the internet."""
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    tables = ask(ec2.describe_route_tables, Filters=filters)["RouteTables"]
    if not tables:  # it has the main one of its VPC
        (found,) = ask(ec2.describe_subnets, SubnetIds=[subnet])["Subnets"]
        main = [
            {"Name": "vpc-id", "Values": [found["VpcId"]]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        tables = ask(ec2.describe_route_tables, Filters=main)["RouteTables"]
    return any(
        route.get("GatewayId", "").startswith("igw-")
        for table in tables
        for route in table["Routes"]
    )


def check_groups(cluster: Cluster, stores: set[str], not_found: Sequence[str] = ()) -> Finding:
    """Look at who is let in: tasks by security groups alone, stores by the tasks' alone.

    Args:
        cluster: the services.
        stores: security groups of the stores that were found.
        not_found: settings that name stores whose groups were not found.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    ec2 = open_client("ec2")
    tasks = cluster.groups()
    asked = sorted(tasks | stores)
    found = ask(ec2.describe_security_groups, GroupIds=asked)["SecurityGroups"]
    complaints = []
    for group in found:
        for rule in group["IpPermissions"]:
            ranges = [one["CidrIp"] for one in rule.get("IpRanges", [])]
            ranges += [one["CidrIpv6"] for one in rule.get("Ipv6Ranges", [])]
            ranges += [one["PrefixListId"] for one in rule.get("PrefixListIds", [])]
            if ranges:
                who = "everybody" if _EVERYBODY & set(ranges) else ", ".join(ranges)
                complaints.append(f"{group['GroupId']} lets in {who}")
            others = {one["GroupId"] for one in rule.get("UserIdGroupPairs", [])} - tasks
            if group["GroupId"] in stores and others:
                complaints.append(
                    f"{group['GroupId']} of a store lets in {', '.join(sorted(others))}"
                )
    if complaints:
        return GROUPS.error(f"{'; '.join(complaints)}. Let in security groups, hop by hop, alone.")
    if not_found:
        return GROUPS.warning(
            "What was looked at lets in security groups alone; but what "
            f"{' and '.join(not_found)} names was not found among Aurora and ElastiCache of this "
            "account, so nobody looked at its groups."
        )
    return GROUPS.ok("Tasks and stores let in security groups alone, and stores only the tasks'.")


def check_secrets(cluster: Cluster) -> Finding:
    """Look for secrets that stand as text in task definitions.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    ecs = open_client("ecs")
    complaints = []
    for service in cluster.services:
        definition = service["taskDefinition"]
        answer = ask(ecs.describe_task_definition, taskDefinition=definition)
        for container in answer["taskDefinition"]["containerDefinitions"]:
            plain = sorted(
                variable["name"]
                for variable in container.get("environment", [])
                if _is_secret(variable["name"], variable.get("value", ""))
            )
            if plain:
                complaints.append(f"{service['serviceName']}: {', '.join(plain)}")
    if complaints:
        return SECRETS.error(
            f"Secrets stand as text in task definitions ({'; '.join(complaints)}); name them under "
            "`secrets`, from Secrets Manager, and change them, for they were seen."
        )
    return SECRETS.ok("No task definition holds a secret as text.")


def _is_secret(name: str, value: str) -> bool:
    return bool(value) and (
        name.upper().endswith(_SECRET_ENDS) or _PASSWORD_IN_ADDRESS.search(value) is not None
    )


def check_waf(cluster: Cluster) -> Finding:
    """Look whether the load balancer of the services has a firewall before it.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    targets = [
        one["targetGroupArn"]
        for service in cluster.services
        for one in service.get("loadBalancers", [])
        if "targetGroupArn" in one
    ]
    if not targets:
        raise NotAnsweredError("no service of this cluster has a load balancer")
    elb, waf = open_client("elbv2"), open_client("wafv2")
    groups = ask(elb.describe_target_groups, TargetGroupArns=targets)["TargetGroups"]
    balancers = sorted({arn for group in groups for arn in group["LoadBalancerArns"]})
    open_ones = [
        arn
        for arn in balancers
        if not ask(waf.get_web_acl_for_resource, ResourceArn=arn).get("WebACL")
    ]
    if open_ones:
        names = ", ".join(arn.split("/")[2] for arn in open_ones)
        return WAF.error(f"The load balancer {names} has no web ACL of AWS WAF; attach one.")
    return WAF.ok("The load balancer has a web ACL of AWS WAF.")
