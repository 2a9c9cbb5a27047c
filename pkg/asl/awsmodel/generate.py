"""Writes services/NAME.txt, one file a service, and names.txt, the names of all services that
there are, from the models of an installed botocore.

    python3 generate.py services

NAME is what aws-sdk integrations call the service. The first line has what the wire
needs to know of the service; then there is one line for each operation,

    =Operation METHOD URI INPUT OUTPUT [WRAPPER]

and one for each structure,

    Structure Member[!]:TYPE[,ATTRIBUTE...] ...

and for each error !CODE EXCEPTION, the code on the wire and the name of the exception in
the SDK for Java, which error names of integrations end in.

Members are named as Step Functions names them, in PascalCase; ! marks a required one.
TYPE is s (text), i (integer), f (floating point), b (boolean), x (blob), t (time), j
(any JSON), [TYPE (list), {TYPE (map), or a structure. An attribute is a letter and a
text: n the name on the wire where it is another, l the place (h header, H headers of a
prefix, q query, u path, p payload, c status code), t the format of a time, m the name
of a list's members, k and v those of a map's keys and values, f for a flat list, a for
an XML attribute, s for a streaming blob, i for a token that makes a call idempotent, which the
SDKs make up where it is missing, and x an XML namespace.
"""

import glob
import os
import re
import sys

import botocore
from botocore.loaders import Loader

# By the name that aws-sdk integrations have: the service's id of the SDK for Java.
SERVICES = {
    "apigateway": "apigateway",
    "athena": "athena",
    "autoscaling": "autoscaling",
    "batch": "batch",
    "bedrock": "bedrock",
    "bedrockruntime": "bedrock-runtime",
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "cloudwatchlogs": "logs",
    "codebuild": "codebuild",
    "cognitoidentityprovider": "cognito-idp",
    "comprehend": "comprehend",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "emrserverless": "emr-serverless",
    "eventbridge": "events",
    "firehose": "firehose",
    "glue": "glue",
    "kinesis": "kinesis",
    "kms": "kms",
    "lambda": "lambda",
    "organizations": "organizations",
    "polly": "polly",
    "redshiftdata": "redshift-data",
    "rekognition": "rekognition",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "ses": "ses",
    "sesv2": "sesv2",
    "sfn": "stepfunctions",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "sts": "sts",
    "support": "support",
    "textract": "textract",
    "translate": "translate",
}

PLAIN = {
    "string": "s", "character": "s", "integer": "i", "long": "i", "float": "f", "double": "f",
    "boolean": "b", "blob": "x", "timestamp": "t",
}

PLACES = {"header": "h", "headers": "H", "querystring": "q", "uri": "u", "statusCode": "c"}

# In the order in which the SDKs prefer them.
PROTOCOLS = ["json", "rest-json", "rest-xml", "query", "ec2"]


def load(folder):
    return Loader(include_default_search_paths=False, extra_search_paths=[
        os.path.join(os.path.dirname(botocore.__file__), "data")]).load_service_model(folder, "service-2")


def upper(name):
    return name[:1].upper() + name[1:]


class Model:
    def __init__(self, description):
        self.shapes = description["shapes"]
        self.structures = {}

    def type(self, name, attributes):
        """The type of a shape; the names of a list's or a map's members go into attributes."""
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "list":
            if shape.get("flattened"):
                attributes.append("f")
            if "locationName" in shape["member"]:
                attributes.append("m" + shape["member"]["locationName"])
            return "[" + self.type(shape["member"]["shape"], attributes if self.nested(shape["member"]) else [])
        if kind == "map":
            if shape.get("flattened"):
                attributes.append("f")
            for key, letter in (("key", "k"), ("value", "v")):
                if "locationName" in shape[key]:
                    attributes.append(letter + shape[key]["locationName"])
            return "{" + self.type(shape["value"]["shape"], attributes if self.nested(shape["value"]) else [])
        if kind == "structure":
            if shape.get("document"):
                return "j"
            return self.structure(name)
        if kind == "timestamp" and "timestampFormat" in shape:
            attributes.append("t" + shape["timestampFormat"])
        return PLAIN[kind]

    def nested(self, member):
        """A list in a list keeps its own names: no service here needs both."""
        return self.shapes[member["shape"]]["type"] == "timestamp"

    def structure(self, name):
        key = upper(name)
        if key in self.structures:
            return key
        self.structures[key] = None  # recursive shapes end here
        shape = self.shapes[name]
        members = []
        for member, target in shape.get("members", {}).items():
            if self.shapes[target["shape"]].get("eventstream"):
                continue
            attributes = []
            kind = self.type(target["shape"], attributes)
            if upper(member) != target.get("locationName", member):
                attributes.append("n" + target.get("locationName", member))
            if "location" in target:
                attributes.append("l" + PLACES[target["location"]])
            if shape.get("payload") == member:
                attributes.append("lp")
            if "timestampFormat" in target:
                attributes.append("t" + target["timestampFormat"])
            if target.get("flattened"):
                attributes.append("f")
            if target.get("xmlAttribute"):
                attributes.append("a")
            if self.shapes[target["shape"]].get("streaming") or target.get("streaming"):
                attributes.append("s")
            if target.get("idempotencyToken"):
                attributes.append("i")
            if target.get("xmlNamespace", {}).get("uri"):
                attributes.append("x" + target["xmlNamespace"]["uri"])
            required = "!" if member in shape.get("required", ()) else ""
            members.append(",".join([upper(member) + required + ":" + kind, *attributes]))
        self.structures[key] = " ".join(members)
        return key


def java(name):
    """The name of a class of the SDK for Java: KMSThrottlingException is KmsThrottlingException."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+", name)
    return "".join(upper(word.lower()) for word in words)


def exception(shape):
    name = java(shape)
    if name.endswith("Fault"):
        return name[: -len("Fault")] + "Exception"
    return name if name.endswith("Exception") else name + "Exception"


def header(name, meta):
    offered = meta.get("protocols", [meta["protocol"]])
    protocol = next(p for p in PROTOCOLS if p in offered or p == meta["protocol"])
    fields = {
        "id": meta["serviceId"].replace(" ", ""),
        "prefix": {"SESv2": "SesV2"}.get(meta["serviceId"]) or "".join(java(word) for word in meta["serviceId"].split()),
        "env": meta["serviceId"].replace(" ", "_").upper(),
        "protocol": protocol,
        "endpoint": meta["endpointPrefix"],
        "signing": meta.get("signingName", meta["endpointPrefix"]),
        "version": meta["apiVersion"],
    }
    if protocol == "json":
        fields["json"] = meta.get("jsonVersion", "1.0")
        fields["target"] = meta["targetPrefix"]
    if "awsQueryCompatible" in meta and protocol == "json":
        fields["querycompatible"] = "true"
    if meta.get("xmlNamespace"):
        namespace = meta["xmlNamespace"]
        fields["xmlns"] = namespace if isinstance(namespace, str) else namespace["uri"]
    return " ".join(f"{k}={v}" for k, v in fields.items())


def main(out):
    os.makedirs(out, exist_ok=True)
    for name, folder in SERVICES.items():
        description = load(folder)
        model = Model(description)
        lines = []
        for operation, o in sorted(description["operations"].items()):
            parts = [operation, o["http"]["method"], o["http"]["requestUri"]]
            for side in ("input", "output"):
                parts.append(model.structure(o[side]["shape"]) if side in o else "-")
            wrapper = o.get("output", {}).get("resultWrapper")
            location = o.get("input", {}).get("locationName")
            namespace = o.get("input", {}).get("xmlNamespace", {}).get("uri")
            parts.append(wrapper or location or "-")
            if namespace:
                parts.append(namespace)
            lines.append("=" + " ".join(parts))
        for shape, value in sorted(description["shapes"].items()):
            if value.get("exception"):
                lines.append(f"!{value.get('error', {}).get('code', shape)} {exception(shape)}")
        for structure, members in model.structures.items():
            lines.append(f"{structure} {members}".rstrip())
        with open(os.path.join(out, name + ".txt"), "w") as f:
            f.write(f"# By generate.py from botocore {botocore.__version__} (Apache License 2.0, Copyright Amazon.com, Inc. or its affiliates).\n")
            f.write(header(name, description["metadata"]) + "\n")
            f.write("\n".join(lines) + "\n")
    with open(os.path.join(out, "..", "names.txt"), "w") as f:
        f.write("\n".join(names()) + "\n")


def names():
    """The ids of all services, as resources would have them: in lower case, without separators."""
    root = os.path.join(os.path.dirname(botocore.__file__), "data")
    ids = set()
    for folder in sorted(os.listdir(root)):
        if glob.glob(os.path.join(root, folder, "*", "service-2.json*")):
            ids.add(re.sub("[^a-z0-9]", "", load(folder)["metadata"].get("serviceId", folder).lower()))
    return sorted(ids)


main(sys.argv[1])
