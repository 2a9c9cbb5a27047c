"""Drives TestState of a Step Functions endpoint through boto3: python teststate_client.py URL"""

import json
import sys

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/test"
INVOKE = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}


def main(url):
    client = boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )

    def test(definition, **members):
        answer = client.test_state(definition=json.dumps(definition), **members)
        del answer["ResponseMetadata"]
        return answer

    # A state alone, and what its stages made of the data.
    answer = test(
        {"Type": "Pass", "Parameters": {"b.$": "$.a"}, "ResultPath": "$.r", "Next": "N"},
        input='{"a": 1}',
        inspectionLevel="DEBUG",
    )
    data = {name: json.loads(text) for name, text in answer.pop("inspectionData").items()}
    assert json.loads(answer.pop("output")) == {"a": 1, "r": {"b": 1}}, answer
    assert answer == {"status": "SUCCEEDED", "nextState": "N"}, answer
    assert data == {
        "input": {"a": 1},
        "afterInputPath": {"a": 1},
        "afterParameters": {"b": 1},
        "afterResultSelector": {"b": 1},
        "afterResultPath": {"a": 1, "r": {"b": 1}},
    }, data

    # A mocked task of JSONata, with variables and a context.
    answer = test(
        {
            **INVOKE,
            "QueryLanguage": "JSONata",
            "Arguments": {"FunctionName": "f", "Payload": "{% $who %}"},
            "Assign": {"said": "{% $states.result.Payload %}"},
            "Output": "{% $states.context.Execution.Name & ': ' & $states.result.Payload %}",
        },
        mock={"result": json.dumps({"Payload": "hello", "StatusCode": 200})},
        variables='{"who": "me"}',
        context='{"Execution": {"Name": "e"}}',
        inspectionLevel="TRACE",
    )
    assert answer["output"] == '"e: hello"', answer
    assert json.loads(answer["inspectionData"]["afterArguments"])["Payload"] == "me", answer
    assert json.loads(answer["inspectionData"]["variables"]) == {"who": "me", "said": "hello"}, answer

    # Errors: retried, then caught.
    failing = {
        **INVOKE,
        "Parameters": {"FunctionName": "f"},
        "Retry": [{"ErrorEquals": ["Oops"], "IntervalSeconds": 2, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rescue"}],
    }
    mock = {"errorOutput": {"error": "Oops", "cause": "why"}}
    answer = test(failing, mock=mock, stateConfiguration={"retrierRetryCount": 1}, inspectionLevel="DEBUG")
    assert answer["status"] == "RETRIABLE" and "output" not in answer, answer
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 4}, answer
    answer = test(failing, mock=mock, stateConfiguration={"retrierRetryCount": 2}, inspectionLevel="DEBUG")
    assert answer["status"] == "CAUGHT_ERROR" and answer["nextState"] == "Rescue", answer
    assert json.loads(answer["output"]) == {"Error": "Oops", "Cause": "why"}, answer
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0, "catchIndex": 0}, answer

    # A Map state within a state machine.
    machine = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemSelector": {"v.$": "$$.Map.Item.Value"},
                "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
                "ToleratedFailurePercentage": 12.5,
                "MaxConcurrency": 3,
                "End": True,
            }
        },
    }
    answer = test(machine, stateName="Each", input="[1, 2]", mock={"result": "[3, 4]"}, inspectionLevel="DEBUG")
    data = answer["inspectionData"]
    assert json.loads(answer["output"]) == [3, 4], answer
    assert json.loads(data["afterItemSelector"]) == [{"v": 1}, {"v": 2}], answer
    assert data["toleratedFailurePercentage"] == 12.5 and data["maxConcurrency"] == 3, answer
    assert test(machine, stateName="One", input="7")["output"] == "7"

    # What nothing runs fails as a task; what is wrong is refused.
    answer = test({**INVOKE, "Parameters": {"FunctionName": "f"}}, roleArn=ROLE)
    assert answer["status"] == "FAILED" and answer["error"] == "States.TaskFailed", answer
    for kind, members in {
        client.exceptions.InvalidDefinition: {"definition": "{}"},
        client.exceptions.InvalidArn: {"definition": json.dumps(failing), "roleArn": "me"},
        client.exceptions.InvalidExecutionInput: {"definition": '{"Type": "Succeed"}', "input": "x"},
        client.exceptions.ValidationException: {"definition": '{"Type": "Succeed"}', "mock": {"result": "1"}},
    }.items():
        try:
            client.test_state(**members)
        except kind as err:
            assert err.response["ResponseMetadata"]["HTTPStatusCode"] == 400, err.response
        else:
            raise AssertionError(f"{members} was answered")
    print("ok")


if __name__ == "__main__":
    main(sys.argv[1])
