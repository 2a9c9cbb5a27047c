"""Assertions on the template as CloudFormation gets it: what no linter checks."""

import json
import os
import unittest

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """Stands in for iam.list_policies(), which needs an account."""

    def load(self):
        return {}


def expand(path):
    """Do what `sam package` does with local paths, then the SAM transform."""
    with open(path) as f:
        doc = yaml_parse(f)
    folder = os.path.dirname(os.path.abspath(path))
    for resource in doc["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://bucket/code.zip"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            with open(os.path.join(folder, properties.pop("DefinitionUri"))) as f:
                properties["Definition"] = json.load(f)
    return transform(doc, {}, NoManagedPolicies())["Resources"]


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.resources = expand("template.yaml")

    def of_type(self, kind):
        return {k: r["Properties"] for k, r in self.resources.items() if r["Type"] == kind}

    def statements(self, role):
        for policy in self.resources[role]["Properties"].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]

    def test_each_function_starts_exactly_its_machines(self):
        want = {
            "WebhookFunction": ["GithubMachine", "OrdersMachine", "PaymentsMachine"],
            "QueueFunction": ["OrdersMachine"],
            "EventFunction": ["PaymentsMachine"],
        }
        for function, machines in want.items():
            with self.subTest(function):
                granted = [
                    s for s in self.statements(function + "Role") if "states:" in json.dumps(s)
                ]
                self.assertEqual(len(granted), 1)
                self.assertEqual(granted[0]["Action"], "states:StartSyncExecution")
                self.assertEqual(granted[0]["Resource"], [{"Ref": m} for m in machines])

    def test_queue_function_reaches_its_queues(self):
        granted = {
            s["Action"]: s["Resource"]
            for s in self.statements("QueueFunctionRole")
            if "sqs:" in json.dumps(s["Action"])
        }
        self.assertEqual(granted, {
            "sqs:SendMessage": {"Fn::GetAtt": ["OrdersDeadLetters", "Arn"]},
            "sqs:ChangeMessageVisibility": {"Fn::GetAtt": ["OrdersQueue", "Arn"]},
        })

    def test_functions(self):
        functions = self.of_type("AWS::Lambda::Function")
        self.assertEqual(len(functions), 3)
        for name, f in functions.items():
            with self.subTest(name):
                self.assertEqual(f["Architectures"], ["arm64"])
                self.assertEqual(f["Runtime"], "provided.al2023")
                self.assertEqual(f["TracingConfig"], {"Mode": "Active"})
                variables = f["Environment"]["Variables"]
                # `sam local` passes on only what is declared.
                for service in ("SFN", "DYNAMODB", "SSM", "SECRETS_MANAGER"):
                    self.assertIn("AWS_ENDPOINT_URL_" + service, variables)
                self.assertEqual(
                    variables["EXPRESSWAY_DEDUPE_TABLE"],
                    {"Fn::If": ["WithDedupeTable", {"Ref": "DedupeTable"}, ""]},
                )
                self.assertEqual(variables["EXPRESSWAY_METRICS"], {"Ref": "Metrics"})
                self.assertEqual(
                    variables["EXPRESSWAY_METRICS_NAMESPACE"], {"Ref": "MetricsNamespace"}
                )

    def test_dedupe_table(self):
        table = self.resources["DedupeTable"]
        self.assertEqual(table["Condition"], "WithDedupeTable")
        properties = table["Properties"]
        self.assertEqual(properties["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(properties["KeySchema"], [{"AttributeName": "id", "KeyType": "HASH"}])
        self.assertEqual(
            properties["TimeToLiveSpecification"],
            {"AttributeName": "expiration", "Enabled": True},
        )
        policy = self.resources["DedupePolicy"]
        self.assertEqual(policy["Condition"], "WithDedupeTable")
        self.assertEqual(
            sorted(role["Ref"] for role in policy["Properties"]["Roles"]),
            ["EventFunctionRole", "QueueFunctionRole", "WebhookFunctionRole"],
        )
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual(
            statement["Action"],
            ["dynamodb:" + verb for verb in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")],
        )
        self.assertEqual(statement["Resource"], {"Fn::GetAtt": ["DedupeTable", "Arn"]})

    def test_machines_are_express_and_traced(self):
        machines = self.of_type("AWS::StepFunctions::StateMachine")
        self.assertEqual(len(machines), 3)
        for name, m in machines.items():
            with self.subTest(name):
                self.assertEqual(m["StateMachineType"], "EXPRESS")
                self.assertEqual(m["TracingConfiguration"], {"Enabled": True})

    def test_queue(self):
        (mapping,) = self.of_type("AWS::Lambda::EventSourceMapping").values()
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertLessEqual(mapping["BatchSize"], 10)
        queue = self.resources["OrdersQueue"]["Properties"]
        timeout = self.resources["QueueFunction"]["Properties"]["Timeout"]
        self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * timeout)
        self.assertGreaterEqual(queue["RedrivePolicy"]["maxReceiveCount"], 5)
        self.assertIn("OrdersDeadLetters", json.dumps(queue["RedrivePolicy"]))

    def test_rule_retries_and_has_a_dead_letter_queue(self):
        (rule,) = self.of_type("AWS::Events::Rule").values()
        (target,) = rule["Targets"]
        self.assertIn("MaximumRetryAttempts", target["RetryPolicy"])
        self.assertIn("PaymentsDeadLetters", json.dumps(target["DeadLetterConfig"]))

    def test_http_api_speaks_payload_2_0_and_waits_less_than_it_may(self):
        (api,) = self.of_type("AWS::ApiGatewayV2::Api").values()
        integrations = [
            method["x-amazon-apigateway-integration"]
            for path in api["Body"]["paths"].values()
            for method in path.values()
        ]
        self.assertTrue(integrations)
        for i in integrations:
            self.assertEqual(i["payloadFormatVersion"], "2.0")
            self.assertLessEqual(i["timeoutInMillis"], 30000)
        timeout = self.resources["WebhookFunction"]["Properties"]["Timeout"]
        self.assertLess(timeout * 1000, min(i["timeoutInMillis"] for i in integrations))


if __name__ == "__main__":
    unittest.main()
