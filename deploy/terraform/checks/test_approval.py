"""The plan that people approve, made without passwords, is the one that is applied."""

from conftest import plan_file

from deploy.ecs.plan_changes import digest_of, read_plan


def test_passwords_make_no_other_plan() -> None:
    assert digest_of(read_plan(plan_file("without"))) == digest_of(
        read_plan(plan_file("production"))
    )


def test_another_profile_is_another_plan() -> None:
    assert digest_of(read_plan(plan_file("small"))) != digest_of(read_plan(plan_file("production")))
