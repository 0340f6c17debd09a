"""Why CloudWatch has no new numbers; beat logs it once and goes on."""

from shared.errors import AppError


class CloudWatchAwayError(AppError):
    """CloudWatch does not answer; metrics are written again when it does, nothing is to be done."""

    code = "cloudwatch_away"


class CloudWatchRefusedError(AppError):
    """CloudWatch takes no metrics from us; allow cloudwatch:PutMetricData to the role of beat."""

    code = "cloudwatch_refused"
