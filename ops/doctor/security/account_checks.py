"""The AWS account: is written down what happens in it, and does somebody watch?"""

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.asking import ask, open_client

TRAIL = Reporter("doctor.security_aws_cloudtrail")
GUARDDUTY = Reporter("doctor.security_aws_guardduty")


def check_trail() -> Finding:
    """Look for a trail of this region that is being written.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    client = open_client("cloudtrail")
    trails = ask(client.describe_trails)["trailList"]
    trails.sort(key=lambda trail: not trail.get("LogFileValidationEnabled"))  # the best one counts
    for trail in trails:
        status = ask(client.get_trail_status, Name=trail["TrailARN"])
        if status.get("IsLogging"):
            if not trail.get("LogFileValidationEnabled"):
                return TRAIL.warning(
                    f"CloudTrail writes {trail['Name']}, but its files can be changed unnoticed; "
                    "turn validation on."
                )
            return TRAIL.ok(f"CloudTrail writes {trail['Name']}.")
    return TRAIL.error("No trail of CloudTrail is being written; make one, or start the one there.")


def check_guardduty() -> Finding:
    """Look for a detector that is on.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    client = open_client("guardduty")
    detectors = ask(client.list_detectors)["DetectorIds"]
    for detector in detectors:
        found = ask(client.get_detector, DetectorId=detector)
        if found.get("Status") == "ENABLED":
            return GUARDDUTY.ok("GuardDuty is on.")
    return GUARDDUTY.error("GuardDuty is off in this region; turn it on.")
