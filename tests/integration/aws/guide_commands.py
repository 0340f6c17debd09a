"""The guide's AWS commands, corrected where they are wrong, as a person types them."""

import json
from dataclasses import dataclass

_NETWORK = (
    "awsvpcConfiguration={{subnets=[{subnet_1},{subnet_2}],securityGroups=[{group}],"
    "assignPublicIp=DISABLED}}"
)
_ACCOUNT = "us-east-1:123456789012"
_TASK_DEFINITION = json.dumps(
    {
        "family": "rag-api",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "containerDefinitions": [
            {
                "name": "rag-api",
                "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/rag-api@sha256:" + "0" * 64,
                "memory": 2048,
                "secrets": [
                    {
                        "name": "POSTGRES_PASSWORD",
                        "valueFrom": f"arn:aws:secretsmanager:{_ACCOUNT}:secret:rag-api/postgres",
                    }
                ],
            }
        ],
    }
)
_SCALING = json.dumps(
    {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
        },
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
    }
)
_RECORD = json.dumps(
    {
        "Changes": [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": "rag.example.com.",
                    "Type": "A",
                    "TTL": 60,
                    "ResourceRecords": [{"Value": "192.0.2.1"}],
                },
            }
        ]
    }
)
_ONE_HOUR = (
    "--start-time 2026-01-01T00:00:00 --end-time 2026-01-01T01:00:00 --period 300"
    " --statistics Average"
)


_BUCKET = "--bucket lightrag-uploads"
_NOT_PUBLIC = "--public-access-block-configuration " + ",".join(
    f"{one}=true"
    for one in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
)


@dataclass(frozen=True)
class Typed:
    """One command, and what it must say."""

    part: str
    shown: str
    """As the page shows it: without what is long or differs each time."""
    words: str
    """What is typed after `aws`; names in braces are answers to earlier commands."""
    wanted: str
    """A pattern of the whole answer, or of the error where `fails`."""
    keeps: str = ""
    """The name under which later commands find the answer."""
    note: str = ""
    """What differs from the guide, and why."""
    fails: bool = False
    """Whether the command cannot work; it is typed to see that."""
    is_unknown: bool = False
    """Whether it fails only because moto does not know it, which says nothing of AWS."""
    is_ours: bool = False
    """One of `python -m deploy.ecs.…` instead."""
    file: tuple[str, str] = ("", "")
    """A file that it names: name and content."""


_GROUND = {
    "vpc": "ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId",
    "subnet_1": "ec2 create-subnet --vpc-id {vpc} --cidr-block 10.0.1.0/24"
    " --availability-zone us-east-1a --query Subnet.SubnetId",
    "subnet_2": "ec2 create-subnet --vpc-id {vpc} --cidr-block 10.0.2.0/24"
    " --availability-zone us-east-1b --query Subnet.SubnetId",
    "group": "ec2 create-security-group --vpc-id {vpc} --group-name rag --description rag"
    " --query GroupId",
}
GROUND = [
    Typed("Ground", words, words, r"(vpc|subnet|sg)-\w+", keeps=name)
    for name, words in _GROUND.items()
]
"""Stands in for `terraform apply`; the page leaves it out."""

PHASE_2 = [
    Typed(
        "Phase 2: managed stores",
        "aws rds create-db-subnet-group …",
        "rds create-db-subnet-group --db-subnet-group-name rag --db-subnet-group-description rag"
        " --subnet-ids {subnet_1} {subnet_2} --query DBSubnetGroup.DBSubnetGroupName",
        "rag",
        note="The guide takes one for granted.",
    ),
    Typed(
        "Phase 2: managed stores",
        "aws rds create-db-cluster --engine aurora-postgresql … --storage-encrypted",
        "rds create-db-cluster --db-cluster-identifier lightrag-aurora --engine aurora-postgresql"
        " --engine-version 16.4 --master-username lightrag --manage-master-user-password"
        " --database-name lightrag --storage-encrypted"
        " --serverless-v2-scaling-configuration MinCapacity=0.5,MaxCapacity=16"
        " --vpc-security-group-ids {group} --db-subnet-group-name rag --query DBCluster.Engine",
        "aurora-postgresql",
        note="Encrypted, and no password on the command line: other users of the host see it, and "
        "the shell keeps it.",
    ),
    Typed(
        "Phase 2: managed stores",
        "aws rds create-db-instance --db-instance-class db.serverless …",
        "rds create-db-instance --db-instance-identifier lightrag-aurora-instance-1"
        " --db-cluster-identifier lightrag-aurora --db-instance-class db.serverless"
        " --engine aurora-postgresql --query DBInstance.DBInstanceClass",
        "db.serverless",
    ),
    Typed(
        "Phase 2: managed stores",
        "aws elasticache create-serverless-cache …",
        "elasticache create-serverless-cache --serverless-cache-name lightrag-redis --engine redis",
        r"(?s).*Internal Server Error.*",
        fails=True,
        is_unknown=True,
        note="Not to be used: Serverless is in cluster mode, which can be no broker (CROSSSLOT). "
        "The next line is what we use.",
    ),
    Typed(
        "Phase 2: managed stores",
        "aws elasticache create-replication-group --transit-encryption-enabled …",
        "elasticache create-replication-group --replication-group-id lightrag-redis"
        " --replication-group-description lightrag --engine redis --cache-node-type cache.t4g.small"
        " --num-cache-clusters 2 --automatic-failover-enabled --multi-az-enabled"
        " --transit-encryption-enabled --at-rest-encryption-enabled"
        " --auth-token invented-token-of-32-characters-or-more"
        " --query ReplicationGroup.TransitEncryptionEnabled",
        "True",
        note="Nodes with cluster mode disabled, TLS and a token.",
    ),
    *(
        Typed("Phase 2: managed stores", shown, words, wanted, note=note)
        for shown, words, wanted, note in [
            (
                "aws s3api create-bucket …",
                "s3api create-bucket --bucket lightrag-uploads --query Location",
                "/lightrag-uploads",
                "For uploads; the guide keeps them on a disk.",
            ),
            (
                "aws s3api put-public-access-block …",
                f"s3api put-public-access-block {_BUCKET} {_NOT_PUBLIC}",
                "",
                "",
            ),
            (
                "aws s3api put-bucket-versioning …",
                f"s3api put-bucket-versioning {_BUCKET} --versioning-configuration Status=Enabled",
                "",
                "",
            ),
            (
                "aws s3api get-bucket-versioning …",
                "s3api get-bucket-versioning --bucket lightrag-uploads --query Status",
                "Enabled",
                "",
            ),
        ]
    ),
]
PHASE_3 = [
    Typed(
        "Phase 3: ECS",
        "aws ecr create-repository --image-tag-mutability IMMUTABLE …",
        "ecr create-repository --repository-name rag-api --image-tag-mutability IMMUTABLE"
        " --image-scanning-configuration scanOnPush=true --query repository.imageTagMutability",
        "IMMUTABLE",
        note="Tags that cannot be moved; there is no `latest`.",
    ),
    Typed(
        "Phase 3: ECS",
        "aws ecr get-login-password",
        "ecr get-login-password",
        r"\S+",
        note="In workflows by OIDC, without a key.",
    ),
    *(
        Typed(
            "Phase 3: ECS",
            f"aws secretsmanager create-secret --name rag-api/{name} --secret-string file://…",
            f"secretsmanager create-secret --name rag-api/{name} --secret-string file://secret.txt"
            " --query Name",
            f"rag-api/{name}",
            file=("secret.txt", "invented"),
            note="From a file, for the same reason as above." if name == "ark-api-key" else "",
        )
        for name in ("ark-api-key", "redis-host", "postgres-password", "neo4j-password")
    ),
    Typed(
        "Phase 3: ECS",
        "aws ecs register-task-definition --cli-input-json file://ecs-task-definition.json",
        "ecs register-task-definition --cli-input-json file://ecs-task-definition.json"
        " --query taskDefinition.revision",
        "1",
        file=("ecs-task-definition.json", _TASK_DEFINITION),
        note="An image by digest instead of `latest`.",
    ),
    Typed(
        "Phase 3: ECS",
        "aws elbv2 create-load-balancer …",
        "elbv2 create-load-balancer --name rag-api-alb --subnets {subnet_1} {subnet_2}"
        " --security-groups {group} --scheme internet-facing"
        " --query LoadBalancers[0].LoadBalancerArn",
        r"arn:aws:elasticloadbalancing:\S+",
        keeps="balancer",
    ),
    Typed(
        "Phase 3: ECS",
        "aws elbv2 create-target-group --health-check-path /readyz …",
        "elbv2 create-target-group --name rag-api-tg --protocol HTTP --port 8000 --vpc-id {vpc}"
        " --target-type ip --health-check-path /readyz --query TargetGroups[0].TargetGroupArn",
        r"arn:aws:elasticloadbalancing:\S+",
        keeps="targets",
        note="`/readyz` looks at the stores; `/` only says that the process lives.",
    ),
    Typed(
        "Phase 3: ECS",
        "aws elbv2 create-listener --protocol HTTPS --port 443 …",
        "elbv2 create-listener --load-balancer-arn {balancer} --protocol HTTPS --port 443"
        " --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06"
        " --certificates CertificateArn={certificate}"
        " --default-actions Type=forward,TargetGroupArn={targets} --query Listeners[0].Protocol",
        "HTTPS",
        note="HTTPS: keys and documents would travel in the clear.",
    ),
    Typed(
        "Phase 3: ECS",
        "aws ecs create-cluster --cluster-name rag-api-cluster",
        "ecs create-cluster --cluster-name rag-api-cluster --query cluster.status",
        "ACTIVE",
    ),
    Typed(
        "Phase 3: ECS",
        "aws ecs create-service --desired-count 2 --launch-type FARGATE …",
        "ecs create-service --cluster rag-api-cluster --service-name api"
        " --task-definition rag-api:1 --desired-count 2 --launch-type FARGATE"
        " --platform-version LATEST"
        f" --network-configuration {_NETWORK}"
        " --load-balancers targetGroupArn={targets},containerName=rag-api,containerPort=8000"
        " --health-check-grace-period-seconds 60 --query service.desiredCount",
        "2",
    ),
    Typed(
        "Phase 3: ECS",
        "aws application-autoscaling register-scalable-target --min-capacity 2 …",
        "application-autoscaling register-scalable-target --service-namespace ecs"
        " --resource-id service/rag-api-cluster/api"
        " --scalable-dimension ecs:service:DesiredCount --min-capacity 2 --max-capacity 10"
        " --query ScalableTargetARN",
        r"arn:aws:application-autoscaling:\S+|None",
    ),
    Typed(
        "Phase 3: ECS",
        "aws application-autoscaling put-scaling-policy --policy-name cpu-scaling-policy …",
        "application-autoscaling put-scaling-policy --service-namespace ecs"
        " --resource-id service/rag-api-cluster/api"
        " --scalable-dimension ecs:service:DesiredCount --policy-name cpu-scaling-policy"
        " --policy-type TargetTrackingScaling"
        " --target-tracking-scaling-policy-configuration file://scaling.json --query PolicyARN",
        r"arn:aws:autoscaling:\S+",
        file=("scaling.json", _SCALING),
    ),
]
ROLLBACK = [
    Typed(
        "Rollback of phase 2",
        "aws rds create-db-snapshot --db-snapshot-identifier …",
        "rds create-db-snapshot --db-snapshot-identifier lightrag-backup",
        r"(?s).*db-instance-identifier.*",
        fails=True,
        note="As the guide has it: it names no instance, and Aurora keeps its data in the cluster.",
    ),
    Typed(
        "Rollback of phase 2",
        "aws elasticache create-snapshot --snapshot-name …",
        "elasticache create-snapshot --snapshot-name lightrag-backup",
        r"(?s).*InvalidParameterValue.*",
        fails=True,
        note="As the guide has it: it names no replication group.",
    ),
    Typed(
        "Rollback of phase 2",
        "python -m deploy.ecs.snapshots --aurora … --redis …",
        "snapshots --region us-east-1 --aurora lightrag-aurora --redis lightrag-redis",
        r"(?s)ragfleet-\S+ is available\.\nragfleet-\S+ is available\.",
        is_ours=True,
        note="Both, and it waits until they can be restored from.",
    ),
    Typed(
        "Rollback of phase 3",
        "aws ecs update-service --desired-count 0",
        "ecs update-service --cluster rag-api-cluster --service api --desired-count 0"
        " --query service.desiredCount",
        "0",
        note="Autoscaling would start tasks again: its smallest count is 2.",
    ),
    Typed(
        "Rollback of phase 3",
        "aws ecs update-service --desired-count 2",
        "ecs update-service --cluster rag-api-cluster --service api --desired-count 2"
        " --query service.desiredCount",
        "2",
    ),
    Typed(
        "Rollback of phase 3",
        "python -m deploy.ecs.capacity stop",
        "capacity stop",
        r"api: 2 -> 0\nNo task runs any more; counts.json says how many there were\.",
        is_ours=True,
        note="Suspends autoscaling first, and keeps the counts.",
    ),
    Typed(
        "Rollback of phase 3",
        "aws application-autoscaling describe-scalable-targets …",
        "application-autoscaling describe-scalable-targets --service-namespace ecs"
        " --query ScalableTargets[0].SuspendedState.DynamicScalingOutSuspended",
        "True",
    ),
    Typed(
        "Rollback of phase 3",
        "aws route53 change-resource-record-sets --change-batch file://update-dns-to-ec2.json",
        "route53 change-resource-record-sets --hosted-zone-id {zone}"
        " --change-batch file://update-dns-to-ec2.json --query ChangeInfo.Status",
        "INSYNC|PENDING",
        file=("update-dns-to-ec2.json", _RECORD),
    ),
    Typed(
        "Rollback of phase 3",
        "python -m deploy.ecs.dns to --name … --address …",
        "dns to --zone {zone} --name rag.example.com --address 192.0.2.7",
        "Changed; .*",
        is_ours=True,
        note="The same, and it keeps what the name meant before.",
    ),
    Typed(
        "… and forward again",
        "python -m deploy.ecs.dns back",
        "dns back --zone {zone}",
        "Changed; .*",
        is_ours=True,
    ),
    Typed(
        "… and forward again",
        "python -m deploy.ecs.capacity start",
        "capacity start",
        r"api: -> 2\nEvery service has its count again; .*",
        is_ours=True,
    ),
]
MONITORING = [
    Typed(
        "Monitoring",
        f"aws cloudwatch get-metric-statistics --namespace {namespace} …",
        f"cloudwatch get-metric-statistics --namespace {namespace} --metric-name {metric}"
        f" --dimensions Name={dimension} {_ONE_HOUR} --query Label",
        metric,
    )
    for namespace, metric, dimension in [
        ("AWS/ECS", "CPUUtilization", "ServiceName,Value=api"),
        ("AWS/RDS", "DatabaseConnections", "DBClusterIdentifier,Value=lightrag-aurora"),
    ]
]
ALL = [*PHASE_2, *PHASE_3, *ROLLBACK, *MONITORING]
