"""What an image is made of: a bill of materials (CycloneDX 1.6) and the licence of every package.

It asks the environment that it runs in, so it is run by the image itself, or by an environment made
of the same pinned requirements: `make sbom`. Exit code 1: a licence that we do not ship, or none.
"""

import argparse
import json
import re
import sys
from importlib import metadata
from pathlib import Path

# Those whose words in the package's own description say nothing usable; each was read in its files.
_READ_BY_US = {"chardetng-py": "MIT"}
_REFUSED = re.compile(r"\b(?:A?GPL|(?:GNU )?(?:Affero )?General Public License)", re.IGNORECASE)
_LESSER = re.compile(r"\bLGPL|(?:Lesser|Library) General Public License", re.IGNORECASE)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
_LONG = 80
"""A field that holds the whole text of a licence is longer than any name of one."""


def canonical(name: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(requirements: Path) -> dict[str, str]:
    """Read the names and versions out of a file of pinned requirements."""
    text = requirements.read_text(encoding="utf-8")
    return {canonical(name): version for name, version in _PIN.findall(text)}


def licence_of(name: str, package: metadata.PackageMetadata) -> str:
    """Return a package's licence as it names it; empty: it does not say."""
    if read := _READ_BY_US.get(name):
        return read
    if expression := package.get("License-Expression"):
        return str(expression)
    classifiers = [
        one.rpartition(" :: ")[2]
        for one in package.get_all("Classifier") or ()
        if one.startswith("License ::") and not one.endswith("OSI Approved")
    ]
    if classifiers:
        return " OR ".join(sorted(classifiers))
    said = str(package.get("License") or "").strip()
    first = said.partition("\n")[0].strip()
    return first if len(first) <= _LONG else first[:_LONG]


def is_refused(licence: str) -> bool:
    """Whether a licence asks of whoever ships the package what we do not do."""
    # Where there is a choice, one good one is enough.
    choices = re.split(r"\bOR\b", licence)
    return not licence or all(
        _REFUSED.search(_LESSER.sub("", choice)) is not None for choice in choices
    )


def bill(image: str, found: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Write the bill of materials down: no date and no number of its own, so equal ones are equal.

    Args:
        image: what it is of.
        found: version and licence by name.
    """
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image, "bom-ref": image}},
        "components": [
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{version}",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name}@{version}",
                "licenses": [{"license": {"name": licence}}],
            }
            for name, (version, licence) in sorted(found.items())
        ],
    }


def look(requirements: Path) -> dict[str, tuple[str, str]]:
    """Look up version and licence of every package of the list that is installed here."""
    wanted = pinned(requirements)
    found = {}
    for one in metadata.distributions():
        name = canonical(one.metadata["Name"])
        if name in wanted:
            found[name] = (one.version, licence_of(name, one.metadata))
    return found


def main() -> None:
    """Write both files and complain of what may not be shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("requirements", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    found = look(arguments.requirements)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(bill(arguments.image, found), indent=2, ensure_ascii=False)
    (arguments.folder / f"{arguments.image}.cdx.json").write_text(text + "\n", encoding="utf-8")
    lines = [f"{name}\t{version}\t{licence}" for name, (version, licence) in sorted(found.items())]
    listed = arguments.folder / f"{arguments.image}.licences.tsv"
    listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{arguments.image}: {len(found)} packages, {listed}")  # noqa: T201 - a command
    refused = [
        f"{name}: {licence or 'it names none'}"
        for name, (_, licence) in sorted(found.items())
        if is_refused(licence)
    ]
    if refused:
        sys.exit("These may not be shipped:\n" + "\n".join(refused))


if __name__ == "__main__":
    main()
