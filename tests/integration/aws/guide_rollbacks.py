"""The guide's AWS commands of the rollbacks, and of monitoring, corrected where they are wrong."""

import json

from tests.integration.aws.typed import Typed

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
