"""Assertions on the template as CloudFormation gets it, which linters do not check."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samtemplate import chosen, expand, settled


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parameters, cls.resources = expand("template.yaml")

    def of_type(self, kind):
        return {k: r["Properties"] for k, r in self.resources.items() if r["Type"] == kind}

    # The conditions of a stack whose parameters have their defaults, and what it can have.
    MADE = {"WithDedupeTable", "NewDedupeTable", "NewOrdersQueue", "NewGithubMachine", "NewOrdersMachine", "NewPaymentsMachine"}
    ACCEPTING = MADE | {"Accepting", "AcceptingWithTable"}

    def statements(self, role, conditions=MADE):
        for policy in self.resources[role]["Properties"].get("Policies", []):
            yield from settled(policy["PolicyDocument"]["Statement"], dict.fromkeys(conditions, True))

    def granted(self, role, conditions=MADE):
        """The resources of each action."""
        out = {}
        for s in self.statements(role, conditions):
            for action in s["Action"] if isinstance(s["Action"], list) else [s["Action"]]:
                resources = s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]]
                out.setdefault(action, []).extend(resources)
        return out

    def test_each_function_starts_exactly_its_machines(self):
        want = {
            "WebhookFunction": ["GithubMachine", "OrdersMachine", "PaymentsMachine"],
            "QueueFunction": ["OrdersMachine"],
            "EventFunction": ["PaymentsMachine"],
        }
        for function, machines in want.items():
            with self.subTest(function):
                granted = [
                    s for s in self.statements(function + "Role")
                    if "StartSyncExecution" in json.dumps(s)
                ]
                self.assertEqual(len(granted), 1)
                self.assertEqual(granted[0]["Action"], "states:StartSyncExecution")
                self.assertEqual(granted[0]["Resource"], [{"Ref": m} for m in machines])

    def test_queue_function_reaches_its_queues(self):
        def queues(function, conditions=self.MADE):
            granted = self.granted(function + "Role", conditions)
            return {k: [r["Fn::GetAtt"][0] for r in v] for k, v in granted.items() if k.startswith("sqs:")}

        def reads(*names):
            return {"sqs:" + verb: list(names) for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}

        self.assertEqual(queues("QueueFunction"), {**reads("OrdersQueue"), "sqs:SendMessage": ["OrdersDeadLetters"]})
        self.assertEqual(
            queues("QueueFunction", self.ACCEPTING),
            {
                **reads("OrdersQueue", "AcceptedQueue"), "sqs:ChangeMessageVisibility": ["AcceptedQueue"],
                "sqs:SendMessage": ["AcceptedDeadLetters", "OrdersDeadLetters"],
            },
        )
        self.assertEqual(queues("EventFunction"), {"sqs:SendMessage": ["PaymentsDeadLetters"]})
        self.assertEqual(queues("WebhookFunction"), {})

    def test_nothing_that_is_not_used(self):
        """The policy of a VPC exists only with a VPC, and each function writes only to its own
        log group."""
        for function, group in {"WebhookFunction": "WebhookLogs", "QueueFunction": "QueueLogs", "EventFunction": "EventLogs"}.items():
            with self.subTest(function):
                properties = self.resources[function]["Properties"]
                self.assertEqual(properties["Role"], {"Fn::GetAtt": [function + "Role", "Arn"]})
                self.assertEqual(properties["VpcConfig"]["Fn::If"][0], "InVpc")
                condition, policies, otherwise = self.resources[function + "Role"]["Properties"]["ManagedPolicyArns"]["Fn::If"]
                self.assertEqual((condition, otherwise), ("InVpc", {"Ref": "AWS::NoValue"}))
                self.assertEqual(len(policies), 1)
                self.assertRegex(policies[0]["Fn::Sub"], "/AWSLambdaENIManagementAccess$")
                granted = self.granted(function + "Role")
                logs = [{"Fn::GetAtt": [group, "Arn"]}]
                self.assertEqual(
                    {k: v for k, v in granted.items() if k.startswith("logs:")},
                    {"logs:CreateLogStream": logs, "logs:PutLogEvents": logs},
                )
    def test_functions(self):
        functions = self.of_type("AWS::Lambda::Function")
        self.assertEqual(len(functions), 3)
        for name, f in functions.items():
            with self.subTest(name):
                self.assertEqual(f["Architectures"], [{"Ref": "Architecture"}])
                self.assertEqual(f["Runtime"], "provided.al2023")
                self.assertEqual(f["TracingConfig"], {"Mode": "Active"})
                variables = f["Environment"]["Variables"]
                # `sam local` only passes on declared variables.
                self.assertIn("AWS_ENDPOINT_URL_SFN", variables)
                self.assertEqual(variables["EXPRESSWAY_METRICS"], {"Ref": "Metrics"})
                self.assertEqual(
                    variables["EXPRESSWAY_METRICS_NAMESPACE"], {"Ref": "MetricsNamespace"}
                )
                # Metrics are log lines: a function that logs as text, or to a group with
                # another filter, has no metrics.
                self.assertEqual(f["LoggingConfig"]["LogFormat"], "JSON")
                self.assertEqual(f["LoggingConfig"]["ApplicationLogLevel"], {"Ref": "LogLevel"})
                self.assertIn(f["LoggingConfig"]["LogGroup"]["Ref"], self.of_type("AWS::Logs::LogGroup"))
                with open("env.json") as file:
                    self.assertLessEqual(set(json.load(file)[name]), set(variables))

    def test_sam_local_reads_the_functions(self):
        # Outside of a list, `sam local invoke` mistakes the key of a condition for a layer.
        stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
        functions = list(SamFunctionProvider(stacks).get_all())
        self.assertEqual(len(functions), 3)
        for f in functions:
            self.assertEqual(f.layers, [], f.name)

    def test_secrets_are_references_of_the_function_that_needs_them(self):
        for name, f in self.of_type("AWS::Lambda::Function").items():
            for variable, value in f["Environment"]["Variables"].items():
                with self.subTest(name, variable=variable):
                    if "SECRET" not in variable.replace("SECRETS_MANAGER", "") and not variable.endswith("_KEY"):
                        continue
                    self.assertEqual(name, "WebhookFunction")
                    if value != "":
                        self.assertTrue(value["Fn::Sub"].startswith("secretsmanager:"))
        for name, parameter in self.parameters.items():
            self.assertNotIn("NoEcho", parameter, name)

    def test_dedupe_table(self):
        table = self.resources["DedupeTable"]
        self.assertEqual(table["Condition"], "NewDedupeTable")
        properties = table["Properties"]
        self.assertEqual(properties["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(properties["KeySchema"], [{"AttributeName": "id", "KeyType": "HASH"}])
        self.assertEqual(
            properties["TimeToLiveSpecification"],
            {"AttributeName": "expiration", "Enabled": True},
        )
        (statement,) = [
            s for s in self.statements("WebhookFunctionRole") if "dynamodb:PutItem" in s["Action"]
        ]
        self.assertEqual(
            statement["Action"],
            ["dynamodb:" + verb for verb in ("PutItem", "UpdateItem", "DeleteItem")],
        )
        self.assertEqual(statement["Resource"], {"Fn::GetAtt": ["DedupeTable", "Arn"]})

    def test_the_webhook_function_alone_resumes_the_approval(self):
        for function in ("WebhookFunction", "QueueFunction", "EventFunction"):
            with self.subTest(function):
                granted = {}
                for s in self.statements(function + "Role"):
                    actions = s["Action"] if isinstance(s["Action"], list) else [s["Action"]]
                    for action in actions:
                        if action == "dynamodb:GetItem" or re.match("states:(StartExec|SendTask)", action):
                            granted[action] = s["Resource"]
                machine = {"Ref": "ApprovalMachine"}
                want = {
                    "states:StartExecution": machine,
                    "states:SendTaskSuccess": machine,
                    "states:SendTaskFailure": machine,
                    "states:SendTaskHeartbeat": machine,
                    "dynamodb:GetItem": {"Fn::GetAtt": ["WaitsTable", "Arn"]},
                }
                self.assertEqual(granted, want if function == "WebhookFunction" else {})
        waits = self.resources["WaitsTable"]["Properties"]
        self.assertEqual(waits["KeySchema"], [{"AttributeName": "id", "KeyType": "HASH"}])
        self.assertEqual(
            waits["TimeToLiveSpecification"], {"AttributeName": "expiration", "Enabled": True}
        )

    def test_policies_are_inside_the_roles(self):
        """A separate policy may be attached after the first event that needs it."""
        self.assertEqual(self.of_type("AWS::IAM::Policy"), {})

    def test_types_of_machines_and_traces(self):
        machines = self.of_type("AWS::StepFunctions::StateMachine")
        self.assertEqual(len(machines), 4)
        for name, m in machines.items():
            with self.subTest(name):
                kind = "STANDARD" if name == "ApprovalMachine" else "EXPRESS"
                self.assertEqual(m["StateMachineType"], kind)
                self.assertEqual(m["TracingConfiguration"], {"Enabled": True})

    def test_machines_log(self):
        group = self.resources["ExecutionLogs"]["Properties"]
        self.assertEqual(group["RetentionInDays"], {"Ref": "ExecutionLogDays"})
        self.assertTrue(group["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/states/"))
        for name, m in self.of_type("AWS::StepFunctions::StateMachine").items():
            if m["StateMachineType"] == "STANDARD":
                continue  # the service keeps its history
            with self.subTest(name):
                logging = m["LoggingConfiguration"]
                self.assertEqual(logging["Level"], {"Ref": "ExecutionLogLevel"})
                self.assertEqual(logging["IncludeExecutionData"], {"Ref": "ExecutionLogData"})
                (destination,) = logging["Destinations"]
                self.assertEqual(
                    destination["CloudWatchLogsLogGroup"]["LogGroupArn"],
                    {"Fn::GetAtt": ["ExecutionLogs", "Arn"]},
                )
                role = self.resources[name + "Role"]["Properties"]
                self.assertIn({"Ref": "DeliverExecutionLogs"}, role["ManagedPolicyArns"])
        self.assertEqual(self.parameters["ExecutionLogData"]["Default"], "false")

    def test_one_parameter_decides_the_architecture(self):
        with open("samconfig.toml") as f:
            config = f.read()
        for architecture, goarch in (("arm64", "arm64"), ("x86_64", "amd64")):
            with self.subTest(architecture), tempfile.TemporaryDirectory() as folder:
                shutil.copy("Makefile", folder)
                with open(os.path.join(folder, "samconfig.toml"), "w") as f:
                    f.write(re.sub("Architecture=[a-z0-9_]+", "Architecture=" + architecture, config))
                env = {k: v for k, v in os.environ.items() if k not in ("GOARCH", "ARCH")}
                done = subprocess.run(
                    ["make", "-n", "build-QueueFunction", "ARTIFACTS_DIR=x"],
                    cwd=folder, env=env, check=True, capture_output=True, text=True,
                )
                self.assertIn(f" GOARCH={goarch} ", done.stdout)

    def test_queue(self):
        mappings = self.of_type("AWS::Lambda::EventSourceMapping").values()
        self.assertEqual(len(mappings), 2)
        timeout = self.resources["QueueFunction"]["Properties"]["Timeout"]
        fed = {chosen(m["EventSourceArn"])["Fn::GetAtt"][0]: m for m in mappings}
        self.assertEqual(set(fed), {"OrdersQueue", "AcceptedQueue"})
        for name, mapping in fed.items():
            with self.subTest(name):
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
                self.assertLessEqual(mapping["BatchSize"], 10)
                queue = self.resources[name]["Properties"]
                self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * timeout + mapping.get("MaximumBatchingWindowInSeconds", 0))
                self.assertGreaterEqual(queue["RedrivePolicy"]["maxReceiveCount"], 5)
                self.assertIn(name.replace("Queue", "DeadLetters"), json.dumps(queue["RedrivePolicy"]))
                for q in (queue, self.resources[name.replace("Queue", "DeadLetters")]["Properties"]):
                    self.assertEqual(settled(q, {"WithKey": True})["KmsMasterKeyId"], {"Ref": "KmsKeyArn"})
                    self.assertTrue(settled(q, {})["SqsManagedSseEnabled"])
                    self.assertNotIn("KmsMasterKeyId", settled(q, {}))

    def test_what_accepts_and_offloads_is_there_when_asked_for(self):
        """Without the parameters there is no queue, no bucket and no permission, and the
        variables are empty."""
        made = {
            "Accepting": {"AcceptedQueue", "AcceptedDeadLetters", "AcceptedMapping", "AcceptedAlarms"},
            "Offloading": {"LargeInputsBucket", "LargeInputsPolicy"},
        }
        for condition, names in made.items():
            self.assertEqual({k for k, r in self.resources.items() if r.get("Condition") == condition}, names)
        for parameter in ("AcceptedDeliveries", "LargeInputs"):
            self.assertEqual(self.parameters[parameter]["Default"], "off")
        off = {f: self.granted(f + "Role") for f in ("WebhookFunction", "QueueFunction", "EventFunction")}
        self.assertFalse([a for a in off["WebhookFunction"] if re.match("sqs:|s3:|kms:", a)])
        self.assertFalse([a for a in off["QueueFunction"] if re.match("dynamodb:|s3:", a)])
        self.assertEqual(off["EventFunction"], self.granted("EventFunctionRole", self.ACCEPTING | {"Offloading"}))
        accepted = ["ACCEPTED_QUEUE_URL", "ACCEPTED_DEAD_LETTERS_URL", "LARGE_INPUTS_BUCKET"]
        for f in ("WebhookFunction", "QueueFunction"):
            variables = self.resources[f]["Properties"]["Environment"]["Variables"]
            for name in accepted:
                self.assertEqual(settled(variables.get(name, ""), {}), "", name)

    def test_accepting(self):
        """The webhook function may only send to the queue; the queue function has the
        permissions for those routes that the webhook function would have had."""
        webhook = self.granted("WebhookFunctionRole", self.ACCEPTING)
        queue = self.granted("QueueFunctionRole", self.ACCEPTING)
        self.assertEqual(webhook["sqs:SendMessage"], [{"Fn::GetAtt": ["AcceptedQueue", "Arn"]}])
        self.assertCountEqual(queue["sqs:SendMessage"], [{"Fn::GetAtt": [q, "Arn"]} for q in ("OrdersDeadLetters", "AcceptedDeadLetters")])
        self.assertEqual(queue["sqs:ChangeMessageVisibility"], [{"Fn::GetAtt": ["AcceptedQueue", "Arn"]}])
        self.assertCountEqual(queue["states:StartSyncExecution"], webhook["states:StartSyncExecution"])
        for action in ("PutItem", "UpdateItem", "DeleteItem"):
            self.assertEqual(queue["dynamodb:" + action], webhook["dynamodb:" + action])
        on = dict.fromkeys(self.ACCEPTING, True)
        for f in ("WebhookFunction", "QueueFunction"):
            variables = settled(self.resources[f]["Properties"]["Environment"]["Variables"], on)
            self.assertEqual(variables["ACCEPTED_QUEUE_URL"], {"Ref": "AcceptedQueue"})
            self.assertEqual(variables["EXPRESSWAY_DEDUPE_TABLE"], {"Ref": "DedupeTable"})
        self.assertNotIn("kms:GenerateDataKey", webhook)
        under = self.granted("WebhookFunctionRole", self.ACCEPTING | {"WithKey", "WritingUnderKey"})
        self.assertEqual(under["kms:GenerateDataKey"], [{"Ref": "KmsKeyArn"}])

    def test_large_inputs(self):
        granted = self.granted("WebhookFunctionRole", self.MADE | {"Offloading"})
        self.assertEqual(granted["s3:PutObject"], [{"Fn::Sub": "${LargeInputsBucket.Arn}/*"}])
        self.assertEqual([a for a in granted if a.startswith("s3:")], ["s3:PutObject"])
        bucket = self.resources["LargeInputsBucket"]["Properties"]
        for conditions, want in (({"WithKey": True}, "aws:kms"), ({}, "AES256")):
            (rule,) = settled(bucket, conditions)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            self.assertEqual(rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"], want)
            self.assertEqual(rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID"), {"Ref": "KmsKeyArn"} if conditions else None)
        self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
        self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4)
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual((rule["Status"], rule["ExpirationInDays"]), ("Enabled", {"Ref": "LargeInputsDays"}))
        # A reference must not outlive what it refers to: four days in the queue, and then
        # as long as dead letters are kept.
        days = self.resources["AcceptedDeadLetters"]["Properties"]["MessageRetentionPeriod"] // 86400 + 4
        self.assertGreater(self.parameters["LargeInputsDays"]["MinValue"], days)
        self.assertNotIn("MessageRetentionPeriod", self.resources["AcceptedQueue"]["Properties"])
        policy = self.resources["LargeInputsPolicy"]["Properties"]
        self.assertEqual(policy["Bucket"], {"Ref": "LargeInputsBucket"})
        (deny,) = policy["PolicyDocument"]["Statement"]
        self.assertEqual((deny["Effect"], deny["Principal"], deny["Action"]), ("Deny", "*", "s3:*"))
        self.assertEqual(deny["Condition"], {"Bool": {"aws:SecureTransport": "false"}})
        self.assertEqual(len(deny["Resource"]), 2)

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


REGION, ACCOUNT, STACK = "us-east-1", "123456789012", "expressway"
REFERENCE = re.compile(r"\$\{([0-9A-Za-z]+)\}")


class Sources(unittest.TestCase):
    """Each event source of the template reaches a route, under the names that
    CloudFormation generates: STACK-LogicalId-RANDOM."""

    @classmethod
    def setUpClass(cls):
        cls.parameters, cls.resources = expand("template.yaml")
        cls.folder = tempfile.TemporaryDirectory()
        cls.program = os.path.join(cls.folder.name, "expressway")
        subprocess.run(["go", "build", "-o", cls.program, "./cmd/expressway"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def physical(self, name):
        return f"{STACK}-{name}-Z5NOSZO2PZE9"

    def arn(self, name):
        kind = self.resources[name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.physical(name)}"
        return f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{self.physical(name)}"

    def value(self, v):
        """Resolve what an environment variable holds, as far as the template uses it."""
        if not isinstance(v, dict):
            return str(v)
        ((function, argument),) = v.items()
        if function == "Fn::Sub":
            return REFERENCE.sub(lambda m: self.value({"Ref": m.group(1)}), argument)
        if function == "Fn::GetAtt" and argument[1] == "Arn":
            return self.arn(argument[0])
        if function == "Fn::If":
            return self.value(argument[1])
        self.assertEqual(function, "Ref", v)
        if argument in self.parameters:
            return str(self.parameters[argument].get("Default", "a-secret-of-a-parameter"))
        kind = self.resources[argument]["Type"]
        if kind == "AWS::StepFunctions::StateMachine":
            machine = argument.removesuffix("Machine").lower()
            return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.physical(argument)}"
        return self.physical(argument)

    def invoke(self, kind, function, event):
        variables = self.resources[function]["Properties"]["Environment"]["Variables"]
        env = {name: self.value(v) for name, v in variables.items()}
        # A laptop's secrets replace those of the account.
        with open("env.json") as f:
            local = json.load(f)[function]
        env.update({k: v for k, v in local.items() if k in variables and re.search("SECRET$|API_KEY$", k)})
        file = os.path.join(self.folder.name, "env.json")
        with open(file, "w") as f:
            json.dump({function: env}, f)
        return subprocess.run(
            [self.program, "invoke", kind, "-e", "-", "--env-vars", file],
            input=json.dumps(event), capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
        )

    def of_type(self, kind):
        return {k: r["Properties"] for k, r in self.resources.items() if r["Type"] == kind}

    def function(self, alias):
        return self.resources[alias["Ref"]]["Properties"]["FunctionName"]["Ref"]

    def test_queues(self):
        mappings = self.of_type("AWS::Lambda::EventSourceMapping")
        self.assertTrue(mappings)
        for name, mapping in mappings.items():
            with self.subTest(name):
                queue = chosen(mapping["EventSourceArn"])["Fn::GetAtt"][0]
                if queue == "AcceptedQueue":
                    continue  # no sample route accepts: Accepting, below
                record = {
                    "messageId": "m1", "receiptHandle": "r", "eventSource": "aws:sqs",
                    "eventSourceARN": self.arn(queue), "awsRegion": REGION,
                    "body": json.dumps({"orderId": "o-1", "items": [{"sku": "tea"}]}),
                    "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
                }
                done = self.invoke("queue", self.function(mapping["FunctionName"]), {"Records": [record]})
                self.assertEqual(done.stdout.strip(), '{"batchItemFailures":[]}', done.stderr)

    def test_rules(self):
        rules = self.of_type("AWS::Events::Rule")
        self.assertTrue(rules)
        for name, rule in rules.items():
            pattern = rule["EventPattern"]
            event = {
                "id": "e1", "time": "2026-01-01T00:00:00Z", "account": ACCOUNT, "region": REGION,
                "detail": {"paymentId": "p-1", "amount": 1250}, "resources": [],
                "source": pattern["source"][0]["prefix"] + "checkout",
                "detail-type": pattern["detail-type"][0]["prefix"] + "Received",
            }
            for target in rule["Targets"]:
                with self.subTest(name):
                    function = self.function(target["Arn"])
                    done = self.invoke("event", function, event)
                    self.assertIn('"status":"SUCCEEDED"', done.stdout, done.stderr)

    def test_accepting(self):
        """Routes that use what the parameters create: `validate` accepts them, and reports them
        if the parameters are off."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("template.yaml", "expressway.yaml", "samconfig.toml", "env.json", "mocks.json", "Makefile", "go.mod"):
                shutil.copy(name, folder)
            for name in ("statemachines", "deploy"):
                shutil.copytree(name, os.path.join(folder, name))
            file = os.path.join(folder, "expressway.yaml")
            with open(file) as f:
                text = f.read()
            with open(file, "w") as f:
                f.write(text.replace(
                    "    dedupe: {for: 24h}            #",
                    "    queue: ${ACCEPTED_QUEUE_URL}\n    deadLetterQueue: ${ACCEPTED_DEAD_LETTERS_URL}\n"
                    "    offload: s3://${LARGE_INPUTS_BUCKET}/webhooks\n    dedupe: {for: 24h}            #", 1,
                ))
            for on, want in (("on", 0), ("off", 1)):
                done = subprocess.run(
                    [self.program, "validate", "--strict", "--template", "template.yaml", "--parameter-overrides", f"AcceptedDeliveries={on} LargeInputs={on}"],
                    cwd=folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
                )
                self.assertEqual(done.returncode, want, done.stdout + done.stderr)
                for variable in ("ACCEPTED_QUEUE_URL", "LARGE_INPUTS_BUCKET"):
                    self.assertEqual(variable in done.stdout + done.stderr, on == "off", done.stdout + done.stderr)

    def test_webhooks(self):
        """The API lets every method and path through, so every http route is reached."""
        for name, api in self.of_type("AWS::ApiGatewayV2::Api").items():
            with self.subTest(name):
                self.assertIn("x-amazon-apigateway-any-method", api["Body"]["paths"]["$default"])
        for file in sorted(os.listdir("events")):
            if file.startswith("webhook-"):
                with self.subTest(file), open(os.path.join("events", file)) as f:
                    done = self.invoke("webhook", "WebhookFunction", json.load(f))
                    self.assertNotIn("Expressway.NoRoute", done.stdout)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
