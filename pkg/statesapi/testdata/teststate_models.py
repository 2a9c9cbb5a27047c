"""Writes teststate_models.txt from the service models of an installed botocore.

    python3 testdata/teststate_models.py > teststate_models.txt

For each service, the answers of its operations: what TestState checks mocked results
against. One line has one operation (+putEvents SHAPE) or one structure (SHAPE
MEMBER:TYPE ...; ! marks a required member). Types are s (text), x (bytes as text), n
(number), b (boolean), t (time), a (anything), e(A|B) (one of), [TYPE (array), {TYPE
(object of) and the name of a structure; s and x may have bounds of their length (1-10), n bounds of its value (128..10240).
"""

import glob
import gzip
import json
import os

import botocore

# By the name that aws-sdk integrations have.
SERVICES = {
    "dynamodb": "dynamodb",
    "eventbridge": "events",
    "kinesis": "kinesis",
    "kms": "kms",
    "lambda": "lambda",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "sesv2": "sesv2",
    "sfn": "stepfunctions",
    "sns": "sns",
    "sqs": "sqs",
    "sts": "sts",
}

PLAIN = {
    "string": "s",
    "character": "s",
    "integer": "n",
    "long": "n",
    "float": "n",
    "double": "n",
    "boolean": "b",
    "blob": "x",
    "timestamp": "t",
}


def load(folder):
    root = os.path.join(os.path.dirname(botocore.__file__), "data", folder)
    version = sorted(os.listdir(root))[-1]
    path = glob.glob(os.path.join(root, version, "service-2.json*"))[0]
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as f:
        return json.load(f)


def upper(name):
    return name[:1].upper() + name[1:]


class Model:
    def __init__(self, shapes):
        self.shapes = shapes
        self.structures = {}

    def type(self, name):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "list":
            return "[" + self.type(shape["member"]["shape"])
        if kind == "map":
            return "{" + self.type(shape["value"]["shape"])
        if kind == "structure":
            return "a" if shape.get("document") or shape.get("eventstream") else self.structure(name)
        if "enum" in shape:
            assert not any(c in value for value in shape["enum"] for c in " |()"), name
            return "e(" + "|".join(shape["enum"]) + ")"
        text = PLAIN[kind]
        if kind in ("string", "blob") and ("min" in shape or "max" in shape):
            text += f"{shape.get('min', 0)}-{shape.get('max', '')}"
        if kind in ("integer", "long", "float", "double") and ("min" in shape or "max" in shape):
            text += f"{shape.get('min', '')}..{shape.get('max', '')}"
        return text

    def structure(self, name):
        if upper(name) not in self.structures:
            self.structures[upper(name)] = None  # recursive shapes end here
            shape = self.shapes[name]
            self.structures[upper(name)] = " ".join(
                upper(member) + ("!" if member in shape.get("required", ()) else "") + ":" + self.type(target["shape"])
                for member, target in shape.get("members", {}).items()
            )
        return upper(name)


def main():
    print(f"# The answers of services, by testdata/teststate_models.py from the models of botocore {botocore.__version__}")
    print("# (Apache License 2.0, Copyright Amazon.com, Inc. or its affiliates).")
    for service, folder in SERVICES.items():
        description = load(folder)
        model = Model(description["shapes"])
        print("@" + service)
        for name, operation in description["operations"].items():
            if "output" in operation:
                print(f"+{name[:1].lower()}{name[1:]} {model.structure(operation['output']['shape'])}")
        for name, members in model.structures.items():
            print(f"{name} {members}".rstrip())


main()
