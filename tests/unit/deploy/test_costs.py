"""What AWS costs is computed from the variables, and the page says what was computed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.terraform.costs.__main__ import main
from deploy.terraform.costs.lines import load, monthly, prices
from deploy.terraform.costs.page import PAGE, page, total
from deploy.terraform.costs.profile import TERRAFORM, Profile
from deploy.terraform.costs.values import NotLiteralError, read_defaults, read_tfvars


def profile(name: str) -> Profile:
    return Profile.read(TERRAFORM / "profiles" / f"{name}.tfvars")


def cost(of: Profile, month: str = "idle") -> float:
    return total(monthly(of, load(month), prices()))


def test_a_small_fleet_costs_less_than_150_dollars_a_month_when_nothing_is_asked() -> None:
    assert cost(profile("small")) < 150


def test_the_page_says_what_is_computed() -> None:
    wanted = "docs/operations/costs.md is out of date: make costs"
    assert PAGE.read_text(encoding="utf-8") == page(), wanted


def test_every_price_has_a_page_and_a_date() -> None:
    for name, one in prices().items():
        if isinstance(one, dict):
            assert one["page"].startswith("https://aws.amazon.com/"), name
            assert one["as_of"], name


def test_work_costs_more_than_rest() -> None:
    for name in ("small", "production"):
        assert cost(profile(name), name) > cost(profile(name))


def test_what_is_left_out_is_not_paid_for() -> None:
    small = profile("small")
    dear = replace(small, nat_machine=None, nat_gateways=1)
    assert cost(dear) - cost(small) > 25
    assert cost(replace(small, endpoints=8)) - cost(small) == pytest.approx(58.4, abs=0.1)
    assert cost(replace(small, neo4j_machine="t4g.large", neo4j_disk_gib=50)) > cost(small) + 50


def test_spot_is_cheaper() -> None:
    small = profile("small")
    on_demand = tuple(replace(service, spot=False) for service in small.services)
    assert cost(replace(small, services=on_demand)) > cost(small)


def test_a_paused_aurora_is_counted_as_awake_for_beat_asks_it_all_the_time() -> None:
    assert profile("small").aurora_least_acu == 0.5


def test_init_runs_for_a_minute_and_is_not_counted() -> None:
    assert "init" not in {service.name for service in profile("small").services}


def test_values_of_files_of_variables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "my.tfvars"
    path.write_text(
        '# one\nname = "a \\"b\\"" # two\nsizes = {\n  api = { cpu = 0.5, spot = true }\n'
        '  "x" : null\n}\nzones = ["a", "b"]\n'
    )
    assert read_tfvars(path) == {
        "name": 'a "b"',
        "sizes": {"api": {"cpu": 0.5, "spot": True}, "x": None},
        "zones": ["a", "b"],
    }


def test_defaults_of_variables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "variables.tf"
    path.write_text(
        'variable "one" {\n  type = string\n}\nvariable "two" {\n  default     = { a = 1 }\n'
        "  validation {\n    condition = length(var.two) > 0\n  }\n}\n"
    )
    assert read_defaults(path) == {"two": {"a": 1}}


def test_a_function_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "my.tfvars"
    path.write_text('name = upper("a")\n')
    with pytest.raises(NotLiteralError, match="Line 1"):
        read_tfvars(path)


def test_a_node_without_a_price_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my.tfvars"
    text = (TERRAFORM / "profiles/small.tfvars").read_text(encoding="utf-8")
    path.write_text(text.replace("cache.t4g.micro", "cache.x9.huge"))
    monkeypatch.setattr(sys, "argv", ["costs", str(path)])
    with pytest.raises(SystemExit, match=r"cache\.x9\.huge"):
        main()


def test_a_profile_of_ones_own_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["costs", str(TERRAFORM / "profiles/small.tfvars")])
    main()
    assert "| ElastiCache | 2 × cache.t4g.micro (valkey) |" in capsys.readouterr().out
