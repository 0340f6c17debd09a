"""What can go wrong while a version is brought to ECS."""


class DeployError(Exception):
    """Base: a stable code, and one sentence that says what happened and what to do."""

    code = "deploy_failed"


class DescriptionError(DeployError):
    """Terraform's output `deployment` is missing or lacks something."""

    code = "deployment_unreadable"


class PlanChangedError(DeployError):
    """What would be applied is not what was approved."""

    code = "plan_changed"


class ImageMissingError(DeployError):
    """No image of this version was pushed."""

    code = "image_missing"


class TaskFailedError(DeployError):
    """A one-off task was not started, or did not end."""

    code = "task_failed"


class InitFailedError(DeployError):
    """The task init did not end well, so no service was touched."""

    code = "init_failed"


class SmokeFailedError(DeployError):
    """The new version runs, but does not do its work."""

    code = "smoke_failed"


class RollFailedError(DeployError):
    """A service did not come up with the new version."""

    code = "roll_failed"


class AwsRefusedError(DeployError):
    """AWS refused a call, or could not be asked."""

    code = "aws_refused"
