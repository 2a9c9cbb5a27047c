"""Expands the template as SAM does."""

import json
import os

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """A fake of iam.list_policies(), which needs an account."""

    def load(self):
        return {}


def expand(path, change=None, parameters=None):
    """Do what `sam package` does with local paths, then the SAM transform. `change` edits
    the template first, as a user would; `parameters` are those of a deployment."""
    with open(path) as f:
        doc = yaml_parse(f)
    folder = os.path.dirname(os.path.abspath(path))
    for resource in doc["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            # The archive is named after the hash of its content: program and configuration.
            properties["CodeUri"] = "s3://bucket/code.zip"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = "s3://bucket/layer.zip"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            with open(os.path.join(folder, properties.pop("DefinitionUri"))) as f:
                properties["Definition"] = json.load(f)
    if change:
        change(doc)
    done = transform(doc, parameters or {}, NoManagedPolicies())
    return done["Parameters"], done["Resources"]


def chosen(value):
    """Take the first branch of each Fn::If: what the template creates by default."""
    if isinstance(value, dict) and list(value) == ["Fn::If"]:
        return chosen(value["Fn::If"][1])
    if isinstance(value, dict):
        return {k: chosen(v) for k, v in value.items()}
    return [chosen(v) for v in value] if isinstance(value, list) else value


def settled(value, conditions):
    """Take the branch of each Fn::If that the conditions choose, and leave out
    AWS::NoValue. A condition that is not named is false."""
    none = {"Ref": "AWS::NoValue"}
    if isinstance(value, dict) and list(value) == ["Fn::If"]:
        name, yes, no = value["Fn::If"]
        return settled(yes if conditions.get(name) else no, conditions)
    if isinstance(value, dict):
        done = {k: settled(v, conditions) for k, v in value.items()}
        return {k: v for k, v in done.items() if v != none}
    if isinstance(value, list):
        return [v for v in (settled(v, conditions) for v in value) if v != none]
    return value
