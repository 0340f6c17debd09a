"""The steps of a deployment on ECS, as commands: `python -m deploy.ecs.NAME`; boto3 is enough."""
