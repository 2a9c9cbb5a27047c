"""Assertions on what `expressway init` writes for each door, as CloudFormation gets it."""

import json
import os
import re
import subprocess
import tempfile
import unittest

from samtemplate import expand, yaml_parse

DOORS = ("http-api", "rest", "function-url", "alb")
REFERENCE = re.compile(r"\$\{([0-9A-Za-z]+)\}")


def dependencies(value, parameters):
    """The parameters that a value refers to."""
    if isinstance(value, list):
        return set().union(*(dependencies(v, parameters) for v in value))
    if not isinstance(value, dict):
        return set()
    out = set()
    for k, v in value.items():
        if k == "Ref":
            out |= {v} & parameters
        if k == "Fn::Sub":
            out |= set(REFERENCE.findall(v if isinstance(v, str) else v[0])) & parameters
        out |= dependencies(v, parameters)
    return out


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory()
        cls.program = os.path.join(cls.work.name, "expressway")
        subprocess.run(["go", "build", "-o", cls.program, "./cmd/expressway"], check=True)
        cls.stacks = {}
        for door in DOORS:
            # A provider that only has a secret, and one that also reads a parameter.
            cls.stacks[door] = cls.write(door, "--from", "http,sqs,eventbridge", "--provider", "stripe,twilio", "--door", door)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    @classmethod
    def write(cls, name, *args):
        folder = os.path.join(cls.work.name, name)
        os.mkdir(folder)
        subprocess.run([cls.program, "init", *args], cwd=folder, check=True, capture_output=True)
        return os.path.join(folder, "template.yaml")

    def each(self):
        return [(door, path, *expand(path)) for door, path in self.stacks.items()]

    def of(self, kind, resources):
        return {k: r["Properties"] for k, r in resources.items() if r["Type"] == kind}

    def text(self, path):
        with open(path) as f:
            return f.read()

    def test_a_version_at_each_change(self):
        def functions(doc):
            return [r["Properties"] for r in doc["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]

        def configuration(doc):
            for f in functions(doc):
                f["CodeUri"] = "s3://bucket/other.zip"

        def layer(doc):
            doc["Resources"]["ExpresswayLayer"]["Properties"]["ContentUri"] = "s3://bucket/other.zip"

        def variable(doc):
            for f in functions(doc):
                f["Environment"]["Variables"]["NEW"] = "1"

        def memory(doc):
            for f in functions(doc):
                f["MemorySize"] = 512

        for door, path, _, _ in self.each():
            with self.subTest(door):
                def versions(change=None):
                    return set(self.of("AWS::Lambda::Version", expand(path, change)[1]))

                seen = versions()
                self.assertEqual(len(seen), 3)
                self.assertEqual(seen, versions(), "the same template, and other versions")
                for change in (configuration, layer, variable, memory):
                    after = versions(change)
                    self.assertEqual(len(after), 3)
                    self.assertTrue(seen.isdisjoint(after), change.__name__)
                    seen |= after

    def test_parameters_publish(self):
        """The description of a function's version contains everything that the function takes
        from parameters. It contains no secrets, which reach the function without a version."""
        for door, _, parameters, resources in self.each():
            with self.subTest(door):
                names = set(parameters)
                for name, properties in self.of("AWS::Lambda::Function", resources).items():
                    (version,) = [
                        v for v in self.of("AWS::Lambda::Version", resources).values() if v["FunctionName"] == {"Ref": name}
                    ]
                    reads = dependencies({k: v for k, v in properties.items() if k not in ("Role", "ReservedConcurrentExecutions")}, names)
                    self.assertEqual(dependencies(version.get("Description", ""), names), reads, name)
                    for parameter in reads:
                        self.assertNotIn("NoEcho", parameters[parameter])
                self.assertIn("WebhookUrl", dependencies(self.of("AWS::Lambda::Version", resources), names))

    def test_the_machine_by_parameter_publishes(self):
        folder = os.path.join(self.work.name, "foreign")
        os.mkdir(folder)
        path = os.path.join(folder, "template.yaml")
        with open(path, "w") as f:
            f.write("Transform: AWS::Serverless-2016-10-31\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n")
        subprocess.run([self.program, "init", "--write", "--from", "http,sqs,eventbridge"], cwd=folder, check=True, capture_output=True)
        _, resources = expand(path)
        versions = self.of("AWS::Lambda::Version", resources)
        self.assertEqual(len(versions), 3)
        for name, version in versions.items():
            self.assertIn("${StateMachineArn}", version["Description"]["Fn::Sub"], name)

    def test_everything_calls_the_alias(self):
        kinds = (
            "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule", "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi", "AWS::Lambda::Permission",
            "AWS::Lambda::Url", "AWS::ElasticLoadBalancingV2::TargetGroup",
        )
        for door, _, _, resources in self.each():
            with self.subTest(door):
                functions = list(self.of("AWS::Lambda::Function", resources))
                called = set()
                for name, r in resources.items():
                    if r["Type"] not in kinds:
                        continue
                    text = json.dumps(r)
                    called |= {r["Type"]}
                    self.assertIn("Aliaslive", text, name)
                    for f in functions:
                        self.assertNotIn('{"Ref": "%s"}' % f, text, name)
                        self.assertNotIn('["%s", "Arn"]' % f, text, name)
                self.assertIn({
                    "http-api": "AWS::ApiGatewayV2::Api", "rest": "AWS::ApiGateway::RestApi", "function-url": "AWS::Lambda::Url",
                    "alb": "AWS::ElasticLoadBalancingV2::TargetGroup",
                }[door], called)

    def test_roll_back(self):
        for door, path, _, resources in self.each():
            with self.subTest(door):
                self.assertEqual(self.of("AWS::CodeDeploy::DeploymentGroup", resources), {})
                for r in resources.values():
                    self.assertNotIn("UpdatePolicy", r)
                _, gradual = expand(path, None, {"GradualDeployment": "true"})
                groups = self.of("AWS::CodeDeploy::DeploymentGroup", gradual)
                self.assertEqual(len(groups), 3)
                for group in groups.values():
                    names = [a["Name"]["Fn::GetAtt"][1] for a in group["AlarmConfiguration"]["Alarms"]]
                    self.assertEqual(names, ["Outputs.Errors", "Outputs.Failed", "Outputs.Unknown"])
                    self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
                for r in gradual.values():
                    if r["Type"] == "AWS::Lambda::Alias":
                        self.assertIn("CodeDeployLambdaAliasUpdate", r["UpdatePolicy"])

    def test_throttling_and_access_log(self):
        for door, path, parameters, resources in self.each():
            with self.subTest(door):
                text = self.text(path)
                stages = list(self.of("AWS::ApiGatewayV2::Stage", resources).values()) + list(self.of("AWS::ApiGateway::Stage", resources).values())
                if door in ("function-url", "alb"):
                    self.assertEqual(stages, [])
                    reserved = resources["ExpresswayWebhook"]["Properties"]["ReservedConcurrentExecutions"]
                    self.assertEqual(reserved, {"Fn::If": ["BoundWebhooks", {"Ref": "WebhookConcurrency"}, {"Ref": "AWS::NoValue"}]})
                    self.assertEqual(parameters["WebhookConcurrency"]["Default"], "")
                    self.assertRegex(text, {"function-url": "# A function URL has no throttling and no access log", "alb": "# A load balancer does not throttle"}[door])
                    continue
                (stage,) = stages
                if door == "rest":
                    (settings,) = stage["MethodSettings"]
                    self.assertEqual((settings["HttpMethod"], settings["ResourcePath"]), ("*", "/*"))
                    log = stage["AccessLogSetting"]["Fn::If"]
                    self.assertEqual(log[0], "WithAccessLog")
                    log = log[1]
                else:
                    settings, log = stage["DefaultRouteSettings"], stage["AccessLogSettings"]
                self.assertEqual((settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]), (100, 200))
                self.assertEqual(log["DestinationArn"], {"Fn::GetAtt": ["ExpresswayApiLogs", "Arn"]})
                line = json.loads(log["Format"])
                self.assertEqual(line["requestId"], "$context.requestId")
                # expressway logs recognizes a line of the access log by it.
                self.assertIn(line["routeKey"], ("$context.routeKey", "$context.httpMethod $context.resourcePath"))
                for value in line.values():
                    self.assertNotRegex(value, "[.]path|query|domain|protocol|header|authorizer|identity")

    def test_log_groups_end(self):
        for door, _, _, resources in self.each():
            with self.subTest(door):
                groups = self.of("AWS::Logs::LogGroup", resources)
                for name, group in groups.items():
                    self.assertEqual(group["RetentionInDays"], 30, name)
                for name, f in self.of("AWS::Lambda::Function", resources).items():
                    self.assertEqual(f["LoggingConfig"]["LogFormat"], "JSON")
                    self.assertIn(f["LoggingConfig"]["LogGroup"]["Ref"], groups, name)

    def test_alarms(self):
        """Each function, each dead-letter queue and the door has its alarms. The templates are
        those of deploy/alarms, with every parameter that they need."""
        for door, path, parameters, resources in self.each():
            with self.subTest(door):
                watched = []
                for name, stack in self.of("AWS::CloudFormation::Stack", resources).items():
                    file = stack["TemplateURL"]
                    self.assertEqual(
                        self.text(os.path.join(os.path.dirname(path), file)), self.text(os.path.join("deploy", file)), name
                    )
                    with open(os.path.join("deploy", file)) as f:
                        has = yaml_parse(f)["Parameters"]
                    given = stack["Parameters"]
                    self.assertLessEqual(set(given), set(has))
                    self.assertLessEqual({k for k, p in has.items() if "Default" not in p}, set(given))
                    self.assertEqual(given["AlarmTopicArn"], {"Ref": "AlarmTopicArn"})
                    watched.append(os.path.basename(file))
                    if file == "alarms/function.yaml":
                        function = resources[given["FunctionName"]["Ref"]]["Properties"]
                        self.assertEqual(given["TimeoutSeconds"], str(function["Timeout"]))
                    if file == "alarms/api.yaml":
                        self.assertEqual(given.get("Kind", "http-api"), {"function-url": "url"}.get(door, door))
                        self.assertEqual("LoadBalancer" in given, door == "alb")
                self.assertEqual(sorted(watched), ["api.yaml"] + ["function.yaml"] * 3 + ["queue.yaml"] * 2)
                self.assertEqual(parameters["AlarmTopicArn"]["Default"], "")

    def test_accepted_webhooks_have_alarms(self):
        path = self.write("accepted", "--from", "http", "--provider", "stripe", "--queue-webhooks", "--offload")
        _, resources = expand(path)
        queues = [
            (s["Parameters"]["QueueName"], s["Parameters"]["DeadLetterQueueName"])
            for s in self.of("AWS::CloudFormation::Stack", resources).values() if s["TemplateURL"] == "alarms/queue.yaml"
        ]
        self.assertEqual(
            queues, [({"Fn::GetAtt": ["AcceptedQueue", "QueueName"]}, {"Fn::GetAtt": ["AcceptedDeadLetters", "QueueName"]})]
        )
        self.assertEqual(len(self.of("AWS::Lambda::Version", resources)), 2)

    def test_least_privilege(self):
        want = {
            "ExpresswayWebhook": {
                "states:StartSyncExecution": [{"Ref": "DeliveriesMachine"}],
                "secretsmanager:GetSecretValue": [{"Ref": "ExpresswayStripeSecret"}, {"Ref": "ExpresswayTwilioSecret"}],
                "dynamodb:PutItem": [{"Fn::GetAtt": ["ExpresswayDeliveries", "Arn"]}],
                "dynamodb:UpdateItem": [{"Fn::GetAtt": ["ExpresswayDeliveries", "Arn"]}],
                "dynamodb:DeleteItem": [{"Fn::GetAtt": ["ExpresswayDeliveries", "Arn"]}],
            },
            "ExpresswayQueue": {
                "states:StartSyncExecution": [{"Ref": "DeliveriesMachine"}], "sqs:SendMessage": [{"Fn::GetAtt": ["DeliveriesDeadLetters", "Arn"]}],
            },
            "ExpresswayEvents": {
                "states:StartSyncExecution": [{"Ref": "DeliveriesMachine"}], "sqs:SendMessage": [{"Fn::GetAtt": ["ExpresswayFailedEvents", "Arn"]}],
            },
        }
        for door, _, _, resources in self.each():
            with self.subTest(door):
                self.assertEqual(self.of("AWS::IAM::Policy", resources), {}, "a policy of its own may come after the first event")
                for function, granted in want.items():
                    got = {}
                    role = resources[function + "Role"]["Properties"]
                    for policy in role["Policies"]:
                        statements = policy["PolicyDocument"]["Statement"]
                        for s in statements if isinstance(statements, list) else [statements]:
                            actions = s["Action"] if isinstance(s["Action"], list) else [s["Action"]]
                            for action in actions:
                                got[action] = s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]]
                    self.assertEqual(got, granted, function)
                    managed = json.dumps(role["ManagedPolicyArns"])
                    self.assertNotIn("VPC", managed)
                for name, permission in self.of("AWS::Lambda::Permission", resources).items():
                    if permission["Principal"] != "*":  # of a Function URL: who may send is the route's to verify
                        self.assertIn("SourceArn", permission, name)

    def test_no_secret_in_an_environment(self):
        for door, _, parameters, resources in self.each():
            with self.subTest(door):
                secret = {k for k, p in parameters.items() if p.get("NoEcho")}
                self.assertEqual(secret, {"StripeSecret", "TwilioSecret"})
                for name, r in resources.items():
                    if r["Type"] != "AWS::SecretsManager::Secret":
                        self.assertEqual(dependencies(r["Properties"], secret), set(), name)


if __name__ == "__main__":
    unittest.main()
