"""The Markdown of the table, and the page of all profiles."""

from deploy.terraform.costs.lines import Line, Table, load, monthly, prices
from deploy.terraform.costs.profile import TERRAFORM, Profile

PAGE = TERRAFORM.parents[1] / "docs" / "operations" / "costs.md"
PROFILES = ("small", "production")

_HEAD = """\
# What it costs on AWS

Computed from the variables of each profile, not measured: `make costs` makes this page, and a test
fails when it is out of date. For a profile of your own:

    python -m deploy.terraform.costs my.tfvars              # idle, and with the load of `small`
    python -m deploy.terraform.costs my.tfvars --load production

**Prices** are list prices of {region}, on demand, without taxes, discounts and free tiers. They
stand with page and date in `deploy/terraform/costs/prices.toml`. Nobody fetched them from there:
check them before you decide anything by them. Other regions cost 10 to 30 % more. **Loads** are
assumptions (`deploy/terraform/costs/loads.toml`). What the language model's provider takes is not
in it, and may be more than all of this.
"""
_SOURCES = """\
## Where the prices are from

| what | page | price of |
|---|---|---|
"""
_NOTES = """\
## What to know

- **Aurora never pauses while services run**: beat asks the ledger every two seconds, so 0.5 ACU is
  the least. With `services_running = false` (and `min_acu = 0`) neither it nor Fargate costs
  anything, beside Aurora's storage.
- **Spot** is counted at half of the price; articles of 2026 speak of 50 to 70 % off.
- A worker of `min = 0` is started when something waits.
- `nat_instance_type` saves most of what a NAT gateway costs, and takes the way to the models away
  while that one machine is replaced.
"""


def table(profile: Profile, loaded: str) -> str:
    """Write one profile down, idle and at a load.

    Args:
        profile: what there is.
        loaded: a name in loads.toml.
    """
    price = prices()
    months: dict[str, Table] = {name: load(name) for name in ("idle", loaded)}
    idle, busy = (monthly(profile, month, price) for month in months.values())
    rows = [_row(*pair) for pair in zip(idle, busy, strict=True)]
    return "\n".join(
        [
            *(f"- **{name}**: {month['told']}" for name, month in months.items()),
            "",
            f"| what | idle | $ a month | {loaded} | $ a month |",
            "|---|---|---:|---|---:|",
            *rows,
            f"| **together** | | **{total(idle):.0f}** | | **{total(busy):.0f}** |",
            "",
        ]
    )


def _row(idle: Line, busy: Line) -> str:
    return f"| {idle.what} | {idle.counted} | {idle.usd:.2f} | {busy.counted} | {busy.usd:.2f} |"


def total(lines: list[Line]) -> float:
    """Add up."""
    return sum(line.usd for line in lines)


def page() -> str:
    """Write the page of all profiles."""
    price = prices()
    parts = [_HEAD.format(region=price["region"])]
    for name in PROFILES:
        profile = Profile.read(TERRAFORM / "profiles" / f"{name}.tfvars")
        parts.append(f"## Profile {name}\n\n{table(profile, name)}")
    sources = "".join(
        f"| {name.replace('_', ' ')} | <{one['page']}> | {one['as_of']} |\n"
        for name, one in price.items()
        if isinstance(one, dict)
    )
    return "\n".join([*parts, _NOTES, _SOURCES + sources])
