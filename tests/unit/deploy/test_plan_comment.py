"""A plan becomes a comment that GitHub takes, whatever is in it; and variables become commands."""

import json

import pytest

from deploy.ecs.errors import DescriptionError
from deploy.ecs.github_variables import VARIABLES, lines
from deploy.ecs.plan_comment import comment_of

SHA = "0123456789abcdef0123456789abcdef01234567"


def test_the_result_stands_above_the_fold() -> None:
    comment = comment_of("  # aws_lb.main\n\nPlan: 1 to add, 0 to change, 2 to destroy.\n", SHA)
    above, _, folded = comment.partition("<details>")
    assert "**Plan: 1 to add, 0 to change, 2 to destroy.**" in above
    assert "0123456789ab" in above
    assert "aws_lb.main" in folded


def test_a_long_plan_is_cut_below_what_github_takes() -> None:
    comment = comment_of("é" * 200_000 + "\nNo changes. Your infrastructure matches.", SHA)
    assert len(comment) < 65_536
    assert "more characters" in comment
    assert "**No changes. Your infrastructure matches.**" in comment


def test_a_plan_cannot_leave_its_block() -> None:
    comment = comment_of("````\n</details> ```", SHA)
    assert comment.count("`````\n") == 2


def test_variables_of_github_come_from_outputs() -> None:
    outputs = {
        "region": {"value": "eu-central-1"},
        "state_bucket": {"value": "state of ours"},
        "state_key": {"value": "rag/terraform.tfstate"},
        "github_role_arns": {
            "value": {role: f"arn:{role}" for role in ("images", "plan", "apply", "deploy")}
        },
        "repository_urls": {"value": {"api": "a", "worker": "w"}},
        "workflow_variables": {"value": {"region": "eu-central-1", "settings": {"LLM_MODEL": "m"}}},
    }
    made = lines(json.loads(json.dumps(outputs)))
    assert len(made) == len(VARIABLES)
    assert "gh variable set AWS_ROLE_PLAN --body arn:plan" in made
    assert "gh variable set TF_STATE_BUCKET --body 'state of ours'" in made
    given = next(line for line in made if "TERRAFORM_VARIABLES" in line)
    assert given.endswith("""--body '{"region": "eu-central-1", "settings": {"LLM_MODEL": "m"}}'""")
    outputs["github_role_arns"] = {"value": {}}
    with pytest.raises(DescriptionError, match=r"github_role_arns\.images"):
        lines(outputs)
