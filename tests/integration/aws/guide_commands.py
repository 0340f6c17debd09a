"""The guide's AWS commands, corrected where they are wrong, as a person types them."""

from tests.integration.aws.guide_phase_3 import PHASE_3
from tests.integration.aws.guide_rollbacks import MONITORING, ROLLBACK
from tests.integration.aws.typed import Typed

_BUCKET = "--bucket lightrag-uploads"
_NOT_PUBLIC = "--public-access-block-configuration " + ",".join(
    f"{one}=true"
    for one in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
)


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
ALL = [*PHASE_2, *PHASE_3, *ROLLBACK, *MONITORING]
