"""The guide's AWS commands of phase 3, corrected where they are wrong, as a person types them."""

import json

from tests.integration.aws.typed import Typed

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
        "aws elbv2 create-target-group --health-check-path /livez …",
        "elbv2 create-target-group --name rag-api-tg --protocol HTTP --port 8000 --vpc-id {vpc}"
        " --target-type ip --health-check-path /livez --query TargetGroups[0].TargetGroupArn",
        r"arn:aws:elasticloadbalancing:\S+",
        keeps="targets",
        note="Whether the process lives. Not `/readyz`, which looks at the stores: ECS replaces a"
        " task whose target is unhealthy, so a store that is away would end every task, over and"
        " over.",
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
