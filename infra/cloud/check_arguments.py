"""Holds the arguments of every resource against the AWS provider's schema: check_arguments.py FOLDER TYPINGS.

Terraform's own `validate` needs the provider, which not every place can fetch. The typings are those that the CDK for
Terraform was generated with from the provider's schema: an interface a block, its fields' names and whether they may be
left out.
"""

import pathlib
import re
import sys

import hcl2

folder, typings = (pathlib.Path(argument) for argument in sys.argv[1:3])
meta = {"count", "for_each", "depends_on", "lifecycle", "provider"}
problems = []


def interfaces(path):
    found = {}
    text = (typings / path / "index.d.ts").read_text()
    for name, body in re.findall(r"export interface (\w+)(?: extends [\w.]+)? \{(.*?)\n\}", text, re.S):
        fields = re.findall(r"readonly (\w+)(\??): ([^;]+);", body)
        found[name] = {snake(field): (mark == "?", kind) for field, mark, kind in fields}
    return found, next(name for name in found if name.endswith("Config"))


def snake(name):
    return re.sub(r"[A-Z]", lambda capital: "_" + capital.group().lower(), name)


def named(block):
    return {key.strip('"'): value for key, value in block.items() if not key.startswith("__")}


def check(path, block, known, interface):
    fields = known[interface]
    given = named(block)
    for key, value in given.items():
        if key in meta:
            continue
        if key not in fields:
            problems.append(f"{path}: no argument {key}")
            continue
        nested = [word for word in re.findall(r"\w+", fields[key][1]) if word in known]
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and nested:
                check(f"{path}.{key}", one, known, nested[0])
    problems.extend(f"{path}: {key} is missing" for key, (optional, _) in fields.items() if not optional and key not in given)


def check_lifecycle(path, block):
    """No object that is current expires or moves: it may be a checkpoint."""
    for rule in block.get("rule", []):
        if "transition" in rule or any(set(named(one)) - {"expired_object_delete_marker"} for one in rule.get("expiration", [])):
            problems.append(f"{path}: a rule expires or moves objects that are current")


blocks = 0
for file in sorted(folder.glob("*.tf")):
    tree = hcl2.loads(file.read_text())
    for kind in ("resource", "data"):
        for entry in tree.get(kind, []):
            for provided, instances in named(entry).items():
                place = ("data-" if kind == "data" else "") + provided.replace("_", "-")
                known, main = interfaces(place if kind == "data" else place.removeprefix("aws-"))
                for name, block in named(instances).items():
                    path = f"{file.name}: {provided}.{name}".replace('"', "")
                    blocks += 1
                    check(path, block, known, main)
                    if provided == "aws_s3_bucket_lifecycle_configuration":
                        check_lifecycle(path, block)
print("\n".join(problems) or f"The arguments of {blocks} blocks are as the provider has them.")
sys.exit(1 if problems or blocks == 0 else 0)
