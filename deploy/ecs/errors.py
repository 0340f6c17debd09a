"""What can go wrong while a version is brought to ECS."""


class DeployError(Exception):
    """Base: a stable code, and one sentence that says what happened and what to do."""

    code = "deploy_failed"


class DescriptionError(DeployError):
    """Terraform's output `deployment` is missing or lacks something."""

    code = "deployment_unreadable"


class ImageMissingError(DeployError):
    """No image of this version was pushed."""

    code = "image_missing"


class InitFailedError(DeployError):
    """The one-off task did not end well, so no service was touched."""

    code = "init_failed"


class RollFailedError(DeployError):
    """A service did not come up with the new version."""

    code = "roll_failed"


class AwsRefusedError(DeployError):
    """AWS refused a call, or could not be asked."""

    code = "aws_refused"
