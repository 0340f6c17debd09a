"""IAM: what each policy allows, read from the sources, where even unknown ARNs have a name."""

import re

import pytest
from conftest import TERRAFORM

# Actions that know no resource; AWS's list says `*` beside each.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeAvailabilityZones",
    "ecr:GetAuthorizationToken",
}
STATEMENT = re.compile(r"^(\s*)(?:statement|content) \{\n(.*?)^\1\}", re.MULTILINE | re.DOTALL)
JSON_STATEMENT = re.compile(r"^(\s*)(?:Statement = \[)?\{\n(.*?)^\1\}", re.MULTILINE | re.DOTALL)
ACTIONS = re.compile(r"\b[Aa]ctions?\s*=\s*(?:concat\()?(\[[^\]]*\]|\"[^\"]*\")", re.DOTALL)
RESOURCES = re.compile(r"\b[Rr]esources?\s*=\s*(\[[^\]]*\]|\"[^\"]*\")", re.DOTALL)
TEXT = re.compile(r'"([^"]*)"')
IAM_ACTION = re.compile(r"^[a-z0-9-]+:[A-Za-z*]+$|^\*$")


def statements(text: str) -> list[str]:
    """The statements of policy documents, and those written as JSON."""
    found = [match.group(2) for match in STATEMENT.finditer(text)]
    found += [match.group(2) for match in JSON_STATEMENT.finditer(text) if "Effect" in match[2]]
    return [body for body in found if actions(body)]


def actions(statement: str) -> set[str]:
    """The actions that a statement names."""
    listed = ACTIONS.findall(statement)
    return {text for part in listed for text in TEXT.findall(part) if IAM_ACTION.match(text)}


def resources(statement: str) -> set[str]:
    """The resources that a statement names in so many words."""
    return {text for part in RESOURCES.findall(statement) for text in TEXT.findall(part)}


def denies(statement: str) -> bool:
    """Whether it takes away."""
    return re.search(r'[Ee]ffect\s*=\s*"Deny"', statement) is not None


def test_the_reader_finds_statements_of_both_kinds(sources: dict[str, str]) -> None:
    found = {name: len(statements(text)) for name, text in sources.items()}
    assert found["modules/security/github.tf"] >= 7
    assert found["modules/service/iam.tf"] >= 6
    assert sum(found.values()) >= 25


def test_nobody_is_allowed_every_action_of_anything(sources: dict[str, str]) -> None:
    too_much = {
        f"{name}: {action}"
        for name, text in sources.items()
        for statement in statements(text)
        if not denies(statement)
        for action in actions(statement)
        if "*" in action
    }
    assert too_much == set()


def test_every_resource_is_named_where_the_action_knows_one(sources: dict[str, str]) -> None:
    too_wide = {
        f"{name}: {action}"
        for name, text in sources.items()
        if name != "modules/security/kms.tf"  # in a key's policy `*` is the key itself
        for statement in statements(text)
        if not denies(statement) and "*" in resources(statement)
        for action in actions(statement) - WITHOUT_RESOURCE
    }
    assert too_wide == set()


def test_nobody_is_an_administrator(sources: dict[str, str]) -> None:
    for name, text in sources.items():
        assert "AdministratorAccess" not in text, name
        assert "iam:CreateUser" not in text, name
        assert "aws_iam_access_key" not in text, name


def test_roles_are_handed_on_only_to_tasks_of_ecs_or_by_those_who_apply(
    sources: dict[str, str],
) -> None:
    handing_on = [
        (name, statement)
        for name, text in sources.items()
        for statement in statements(text)
        if "iam:PassRole" in actions(statement)
    ]
    assert handing_on
    for name, statement in handing_on:
        assert "*" not in resources(statement), name
        assert "ecs-tasks.amazonaws.com" in statement or name.endswith("github_terraform.tf")


def test_the_role_that_deploys_may_what_its_commands_ask_for_and_no_more(
    sources: dict[str, str],
) -> None:
    text = sources["modules/security/github.tf"]
    document = text.partition('"aws_iam_policy_document" "deploy"')[2].partition("\nresource ")[0]
    allowed = {action for statement in statements(document) for action in actions(statement)}
    folder = TERRAFORM.parent / "ecs"
    steps = ("one_off", "roll", "rollback", "run_init", "services", "smoke")
    code = "".join((folder / f"{name}.py").read_text() for name in steps)
    assert set(re.findall(r"client\(\"(\w+)\"", code)) == {"ecs"}
    asked = {
        "ecs:" + "".join(word.title() for word in name.split("_"))
        for name in re.findall(r"\becs\.(\w+)\(", code)
    }
    assert allowed == asked | {"iam:PassRole"}


def test_what_a_pull_request_gets_reads_no_secret_and_writes_nothing(
    sources: dict[str, str],
) -> None:
    text = sources["modules/security/github_terraform.tf"]
    document = text.partition('"aws_iam_policy_document" "plan"')[2].partition("\nresource ")[0]
    allowed = {action for statement in statements(document) for action in actions(statement)}
    assert allowed == {"ec2:DescribeAvailabilityZones", "ecr:DescribeImages", "ssm:GetParameter"}
    assert 'github["plan"].name' not in text, "a policy of AWS's own is wider than this"


def test_a_plan_without_passwords_has_a_value_where_the_provider_wants_one(
    sources: dict[str, str],
) -> None:
    # `…_wo_version` without `…_wo` is refused; so is it in a plan that may read no password.
    for name in ("modules/secrets/main.tf", "modules/secrets/outputs.tf"):
        chosen = [line for line in sources[name].splitlines() if "var.write_passwords ?" in line]
        given = [line for line in chosen if "for_each" not in line]
        assert given, name
        assert all(line.rstrip().endswith(": uuid()") for line in given), name


def test_github_is_let_in_by_exact_names(sources: dict[str, str]) -> None:
    text = sources["modules/security/github.tf"]
    assert '"StringEquals"\n      variable = "${local.issuer}:sub"' in text
    assert '"StringEquals"\n      variable = "${local.issuer}:aud"' in text
    subjects = re.findall(r'"\$\{local\.subject\}:[^"]*"', text)
    assert len(subjects) >= 5
    assert not any("*" in subject for subject in subjects)


def test_every_bucket_refuses_what_comes_without_tls(sources: dict[str, str]) -> None:
    for name, text in sources.items():
        if 'resource "aws_s3_bucket" ' in text:
            assert "aws:SecureTransport" in text, name


@pytest.mark.parametrize("secret", ["password", "auth_token", "secret_string"])
def test_no_password_gets_into_the_state(sources: dict[str, str], secret: str) -> None:
    # From module to module values go by ephemeral outputs and variables, which Terraform watches.
    kept = re.compile(rf"^\s*(?:\w+_)?{secret}\s*=(?!\s*module\.secrets\.)", re.MULTILINE)
    found = {name: kept.findall(text) for name, text in sources.items() if kept.search(text)}
    assert found == {}


def test_every_exception_from_checkov_has_a_reason(sources: dict[str, str]) -> None:
    skips = [
        line.strip()
        for text in sources.values()
        for line in text.splitlines()
        if "checkov:skip" in line
    ]
    assert skips
    without = [line for line in skips if not re.search(r"checkov:skip=CKV\w+:.{15,}", line)]
    assert without == []
