"""Assertions on the operation of the stack: versions and rollback, alarms, logs, throttling."""

import json
import os
import re
import unittest

from samtemplate import expand, yaml_parse

REFERENCE = re.compile(r"\$\{([0-9A-Za-z]+)\}")


class Versions(unittest.TestCase):
    """Each function is published behind an alias at each change. SAM publishes a version
    when the template's text changes; what a parameter changes is in the version's
    description, because CloudFormation publishes a version when it changes."""

    def parts(self, kind, change=None, parameters=None):
        _, resources = expand("template.yaml", change, parameters)
        return {k: r for k, r in resources.items() if r["Type"] == kind}

    def versions(self, change=None):
        return set(self.parts("AWS::Lambda::Version", change))

    def each(self, doc):
        return [r["Properties"] for r in doc["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]

    def test_the_template_publishes(self):
        before = self.versions()
        self.assertEqual(len(before), 3)
        self.assertEqual(before, self.versions(), "the same template, and other versions")

        def code(doc):
            for f in self.each(doc):
                f["CodeUri"] = "s3://bucket/other.zip"

        def configuration(doc):
            for f in self.each(doc):
                f.setdefault("Environment", {}).setdefault("Variables", {})["NEW"] = "1"

        def memory(doc):
            doc["Globals"]["Function"]["MemorySize"] = 512

        def layers(content):
            def change(doc):
                doc["Resources"]["Layer"] = {
                    "Type": "AWS::Serverless::LayerVersion",
                    "Properties": {"ContentUri": "s3://bucket/" + content, "PublishLambdaVersion": True},
                }
                for f in self.each(doc):
                    f["Layers"] = [{"Ref": "Layer"}]
            return change

        seen = [before]
        for change in (code, configuration, memory, layers("1.zip"), layers("2.zip")):
            with self.subTest(change.__name__):
                after = self.versions(change)
                self.assertEqual(len(after), 3)
                for other in seen:
                    self.assertTrue(after.isdisjoint(other))
                seen.append(after)

    def parameters_of(self, value, parameters, conditions, seen):
        """The parameters that a value depends on, directly or through conditions."""
        if isinstance(value, list):
            for v in value:
                self.parameters_of(v, parameters, conditions, seen)
        elif isinstance(value, dict):
            for k, v in value.items():
                if k == "Ref" and v in parameters:
                    seen.add(v)
                elif k == "Fn::Sub":
                    text = v if isinstance(v, str) else v[0]
                    seen |= set(REFERENCE.findall(text)) & set(parameters)
                elif k in ("Fn::If", "Condition"):
                    self.parameters_of(conditions[v[0] if k == "Fn::If" else v], parameters, conditions, seen)
                self.parameters_of(v, parameters, conditions, seen)
        return seen

    def test_parameters_publish(self):
        with open("template.yaml") as f:
            doc = yaml_parse(f)
        parameters, resources = expand("template.yaml")
        conditions = doc["Conditions"]
        for name, r in resources.items():
            if r["Type"] != "AWS::Lambda::Function":
                continue
            with self.subTest(name):
                properties = dict(r["Properties"])
                # It belongs to the function, not to a version: Lambda would refuse to publish
                # an unchanged version.
                del properties["ReservedConcurrentExecutions"]
                del properties["Role"]
                (version,) = [
                    v for k, v in resources.items()
                    if v["Type"] == "AWS::Lambda::Version" and v["Properties"]["FunctionName"] == {"Ref": name}
                ]
                want = self.parameters_of(properties, parameters, conditions, set())
                got = self.parameters_of(version["Properties"]["Description"], parameters, conditions, set())
                self.assertEqual(got, want)

    def test_everything_calls_the_alias(self):
        _, resources = expand("template.yaml")
        functions = [k for k, r in resources.items() if r["Type"] == "AWS::Lambda::Function"]
        for name, r in resources.items():
            text = json.dumps(r)
            if r["Type"] in ("AWS::Lambda::EventSourceMapping", "AWS::Events::Rule", "AWS::ApiGatewayV2::Api", "AWS::Lambda::Permission"):
                with self.subTest(name):
                    self.assertRegex(text, "FunctionAliaslive")
                    for f in functions:
                        self.assertNotIn('{"Ref": "%s"}' % f, text)
                        self.assertNotIn('["%s", "Arn"]' % f, text)

    def test_deployment_preference(self):
        alias = "AWS::Lambda::Alias"
        for r in self.parts(alias).values():
            self.assertNotIn("UpdatePolicy", r)
        canary = {"DeploymentPreference": "Canary10Percent5Minutes"}
        for r in self.parts(alias, None, canary).values():
            self.assertIn("CodeDeployLambdaAliasUpdate", r["UpdatePolicy"])
        groups = self.parts("AWS::CodeDeploy::DeploymentGroup", None, canary)
        self.assertEqual(len(groups), 3)
        for name, group in groups.items():
            with self.subTest(name):
                alarms = group["Properties"]["AlarmConfiguration"]["Alarms"]
                self.assertEqual(
                    [a["Name"]["Fn::GetAtt"][1] for a in alarms],
                    ["Outputs.Errors", "Outputs.Failed", "Outputs.Unknown"],
                )
                self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["Properties"]["AutoRollbackConfiguration"]["Events"])
        # SAM's own role has no permissions boundary.
        self.assertNotIn("CodeDeployServiceRole", self.parts("AWS::IAM::Role", None, canary))


class Operations(unittest.TestCase):
    """Alarms, logs and throttling."""

    @classmethod
    def setUpClass(cls):
        cls.parameters, cls.resources = expand("template.yaml")
        with open("docs/operations.md") as f:
            cls.runbook = {
                re.sub(r"[^0-9a-z -]", "", line.strip("# \n").lower()).replace(" ", "-")
                for line in f if line.startswith("#")
            }

    def stacks(self):
        return {k: r for k, r in self.resources.items() if r["Type"] == "AWS::CloudFormation::Stack"}

    def test_pieces(self):
        """Each template gets only parameters that it declares, and all that have no default."""
        files = set()
        for name, stack in self.stacks().items():
            with self.subTest(name):
                files.add(stack["Properties"]["TemplateURL"])
                with open(stack["Properties"]["TemplateURL"]) as f:
                    has = yaml_parse(f)["Parameters"]
                given = set(stack["Properties"]["Parameters"])
                self.assertLessEqual(given, set(has))
                self.assertLessEqual({k for k, p in has.items() if "Default" not in p}, given)
        alarms = {os.path.join("deploy/alarms", name) for name in os.listdir("deploy/alarms")}
        self.assertEqual(files, alarms | {"deploy/dashboard.yaml"})
        for queue in ("OrdersDeadLetters", "AcceptedDeadLetters", "PaymentsDeadLetters"):
            self.assertTrue(any(
                s["Properties"]["Parameters"].get("DeadLetterQueueName") == {"Fn::GetAtt": [queue, "QueueName"]}
                for s in self.stacks().values()
            ), queue)

    def test_alarms(self):
        seen = 0
        for name in sorted(os.listdir("deploy/alarms")):
            with open(os.path.join("deploy/alarms", name)) as f:
                doc = yaml_parse(f)
            for alarm, r in doc["Resources"].items():
                with self.subTest(name, alarm=alarm):
                    seen += 1
                    p = r["Properties"]
                    self.assertEqual(r["Type"], "AWS::CloudWatch::Alarm")
                    self.assertEqual(p["TreatMissingData"], "notBreaching")
                    for actions in ("AlarmActions", "OKActions"):
                        self.assertEqual(
                            p[actions], {"Fn::If": ["Notify", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
                        )
                    text = p["AlarmDescription"]["Fn::Sub"]
                    text = text if isinstance(text, str) else text[0]
                    anchor = re.search(r"Runbook: \$\{RunbookUrl\}#([0-9a-z-]+)$", text)
                    self.assertIn(anchor.group(1), self.runbook)
        self.assertEqual(seen, 10)

    def test_dashboard_is_json(self):
        with open("deploy/dashboard.yaml") as f:
            body, names = yaml_parse(f)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        known = set(names) | {"MetricsNamespace", "AWS::Region"}
        for name in re.findall(r"\$\{([^}]+)\}", body):
            self.assertIn(name, known)
        widgets = json.loads(re.sub(r"\$\{[^}]+\}", "x", body))["widgets"]
        self.assertIn("by route, error", widgets[0]["properties"]["query"])

    def test_access_log_has_the_route_and_no_path(self):
        (stage,) = [r["Properties"] for r in self.resources.values() if r["Type"] == "AWS::ApiGatewayV2::Stage"]
        line = json.loads(stage["AccessLogSettings"]["Format"])
        self.assertEqual(line["requestId"], "$context.requestId")
        self.assertEqual(line["routeKey"], "$context.routeKey")
        for value in line.values():
            self.assertNotRegex(value, "path|query|domain|protocol|header|authorizer|identity")
        self.assertEqual(stage["DefaultRouteSettings"]["ThrottlingRateLimit"], {"Ref": "RequestsPerSecond"})
        self.assertEqual(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"], {"Ref": "RequestsBurst"})

    def test_log_groups_end(self):
        for name, r in self.resources.items():
            if r["Type"] == "AWS::Logs::LogGroup":
                self.assertIn("RetentionInDays", r["Properties"], name)

    def test_every_role_takes_the_boundary(self):
        for name, r in self.resources.items():
            if r["Type"] == "AWS::IAM::Role":
                self.assertEqual(
                    r["Properties"].get("PermissionsBoundary"),
                    {"Fn::If": ["WithBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}, name,
                )


if __name__ == "__main__":
    unittest.main()
