"""What a profile makes on AWS, as far as it costs something."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from deploy.terraform.costs.values import read_defaults, read_tfvars

TERRAFORM = Path(__file__).parents[1]

_ZONES = 2
# In modules/network, edge, data, security and observability; a check compares each with a plan.
_ENDPOINTS = 4
_WAF_RULES = 5
_KEYS = 1
_QUEUES = 3
_METRICS_OF_QUEUE = 4
_METRICS_OF_FLEET = 3
# beat, failures, three queues, two of the API; and the one that adds three metrics up.
_ALARMS_OF_FLEET = 7
_METRICS_OF_ERROR_ALARM = 3
_ALARMS_OF_NODE = 2
_ALARMS_OF_AURORA = 3
_ALARMS_OF_NAT = 2
_METRICS_OF_ZERO_ALARM = 2
# A pause ends with the next connection, and beat connects every two seconds.
_SMALLEST_RUNNING_ACU = 0.5


@dataclass(frozen=True)
class ServiceSize:
    """One service on Fargate."""

    name: str
    vcpu: float
    memory_gib: float
    disk_gib: float
    fewest: int
    most: int
    spot: bool


@dataclass(frozen=True)
class Profile:
    """One installation."""

    name: str
    architecture: str
    services: tuple[ServiceSize, ...]
    nat_gateways: int
    nat_machine: str | None
    endpoints: int
    redis_engine: str
    redis_node: str
    redis_nodes: int
    aurora_least_acu: float
    aurora_most_acu: float
    aurora_instances: int
    secrets: int
    insights: str
    guardduty: bool
    neo4j_machine: str | None
    neo4j_disk_gib: int

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a tfvars file; what it leaves open has the default of the root module.

        Raises:
            NotLiteralError: a value is no literal.
            KeyError: the profile leaves a size open that has a default in no variables file.
        """
        given: dict[str, Any] = {}
        for variables in sorted(TERRAFORM.glob("variables*.tf")):
            given |= read_defaults(variables)
        given |= read_tfvars(path)
        on_ec2, nat_machine = given["graph"] == "ec2", given["nat_instance_type"]
        return cls(
            name=path.stem,
            architecture=given["architecture"],
            services=tuple(_service(*size) for size in given["sizes"].items() if size[0] != "init"),
            nat_gateways=0 if nat_machine else _ZONES if given["nat_gateway_per_zone"] else 1,
            nat_machine=nat_machine,
            endpoints=_ENDPOINTS * _ZONES if given["interface_endpoints"] else 0,
            redis_engine=given["redis"].get("engine", "valkey"),
            redis_node=given["redis"]["node_type"],
            redis_nodes=given["redis"]["nodes"],
            aurora_least_acu=max(given["postgres"]["min_acu"], _SMALLEST_RUNNING_ACU),
            aurora_most_acu=given["postgres"]["max_acu"],
            aurora_instances=given["postgres"]["instances"],
            secrets=_secrets(given["graph"]),
            insights=given["container_insights"],
            guardduty=given["guardduty"],
            neo4j_machine=given["neo4j"].get("instance_type", "t4g.large") if on_ec2 else None,
            neo4j_disk_gib=given["neo4j"].get("disk_gib", 50) if on_ec2 else 0,
        )

    @property
    def public_addresses(self) -> int:
        """Of the load balancer in each zone, and of each way out."""
        return _ZONES + self._ways_out

    @property
    def waf_rules(self) -> int:
        """In the one list of the firewall."""
        return _WAF_RULES

    @property
    def keys(self) -> int:
        """Of KMS."""
        return _KEYS

    @property
    def custom_metrics(self) -> int:
        """That beat writes."""
        return _QUEUES * _METRICS_OF_QUEUE + _METRICS_OF_FLEET

    @property
    def alarms(self) -> int:
        """That look at one metric each."""
        nodes = self.redis_nodes * _ALARMS_OF_NODE
        return _ALARMS_OF_FLEET + nodes + _ALARMS_OF_AURORA + self._ways_out * _ALARMS_OF_NAT

    @property
    def alarm_metrics(self) -> int:
        """What alarms are paid by: target tracking, which makes two for each policy, included."""
        tracked = sum(self._policies(service) for service in self.services) * 2
        from_zero = sum(service.fewest == 0 for service in self.services) * _METRICS_OF_ZERO_ALARM
        return self.alarms + _METRICS_OF_ERROR_ALARM + tracked + from_zero

    @property
    def _ways_out(self) -> int:
        return 1 if self.nat_machine else self.nat_gateways

    @staticmethod
    def _policies(service: ServiceSize) -> int:
        if service.fewest == service.most:
            return 0
        return 2 if service.name == "api" else 1


def _service(name: str, size: dict[str, Any]) -> ServiceSize:
    return ServiceSize(
        name=name,
        vcpu=size["cpu"] / 1024,
        memory_gib=size["memory_mib"] / 1024,
        disk_gib=size.get("disk_gib", 21),
        fewest=size["min"],
        most=size["max"],
        spot=size.get("spot", False),
    )


def _secrets(graph: str) -> int:
    # api-key, flower, redis, postgres, llm-api-key, embedding-api-key; neo4j where there is one.
    return 6 + (graph != "postgres")
