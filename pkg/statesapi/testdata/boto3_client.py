"""Drives every operation of a Step Functions endpoint through boto3: python boto3_client.py URL"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/test"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
TWO = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 2, "End": True}}})
WAIT = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": True}}})


def refused(code, message, call, **request):
    """The call fails with an error that boto3 knows by its name."""
    try:
        call(**request)
    except ClientError as err:
        assert err.response["Error"]["Code"] == code, err.response
        assert message in err.response["Error"]["Message"], err.response
        assert err.response["ResponseMetadata"]["HTTPStatusCode"] == 400, err.response
        assert err.response["ResponseMetadata"]["RequestId"], err.response
        return err.response
    raise AssertionError(f"{request} was not refused")


def machines(client):
    arn = client.create_state_machine(
        name="boto3", definition=PASS, roleArn=ROLE, type="EXPRESS", tags=[{"key": "k", "value": "v"}]
    )["stateMachineArn"]
    again = client.create_state_machine(name="boto3", definition=PASS, roleArn=ROLE, type="EXPRESS")
    assert again["stateMachineArn"] == arn, again
    refused("StateMachineAlreadyExists", arn, client.create_state_machine, name="boto3", definition=TWO, roleArn=ROLE, type="EXPRESS")
    refused(
        "InvalidDefinition", "These fields are required: [StartAt] at /", client.create_state_machine,
        name="x", definition='{"States": {"A": {"Type": "Succeed"}}}', roleArn=ROLE,
    )
    refused("InvalidName", "'a b'", client.create_state_machine, name="a b", definition=PASS, roleArn=ROLE)
    described = client.describe_state_machine(stateMachineArn=arn)
    assert described["definition"] == PASS and described["type"] == "EXPRESS", described
    assert described["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}, described
    assert "variableReferences" not in described, described
    hidden = client.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert hidden["definition"] == "{}", hidden

    pages = client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    names = [machine["name"] for page in pages for machine in page["stateMachines"]]
    assert names == ["boto3", "orders"], names

    result = client.validate_state_machine_definition(definition='{"StartAt": "A", "States": {"A": {"Type": "Nap"}}}', type="EXPRESS")
    assert result["result"] == "FAIL" and result["diagnostics"][0]["location"] == "/States/A/Type", result
    result = client.validate_state_machine_definition(definition=PASS, severity="WARNING", maxResults=1)
    assert result["result"] == "OK" and result["diagnostics"] == [] and result["truncated"] is False, result

    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "k", "value": "v"}]
    client.tag_resource(resourceArn=arn, tags=[{"key": "l", "value": "w"}])
    client.untag_resource(resourceArn=arn, tagKeys=["k"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "l", "value": "w"}]
    return arn


def express(client, arn):
    done = client.start_sync_execution(stateMachineArn=arn, name="n", input='{"a": 1}')
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["output"]) == {"a": 1}, done
    assert done["billingDetails"]["billedMemoryUsedInMB"] == 64, done
    assert done["stopDate"] >= done["startDate"], done
    hidden = client.start_sync_execution(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert "output" not in hidden and hidden["outputDetails"] == {"included": False}, hidden
    started = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert started.startswith(arn.replace("stateMachine", "express") + ":"), started
    refused("InvalidExecutionInput", "Unrecognized token 'no'", client.start_sync_execution, stateMachineArn=arn, input="no")
    refused("StateMachineTypeNotSupported", "not supported", client.list_executions, stateMachineArn=arn)
    for call in client.describe_execution, client.stop_execution, client.get_execution_history, client.describe_state_machine_for_execution:
        refused("InvalidArn", "Resource type not valid in this context: express", call, executionArn=started)


def versions(client, arn):
    first = client.publish_state_machine_version(stateMachineArn=arn, description="first")["stateMachineVersionArn"]
    assert first == arn + ":1", first
    refused("ConflictException", "INITIAL", client.publish_state_machine_version, stateMachineArn=arn, revisionId="x")
    second = client.update_state_machine(stateMachineArn=arn, definition=TWO, publish=True)["stateMachineVersionArn"]
    listed = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [v["stateMachineVersionArn"] for v in listed] == [second, first], listed
    assert client.describe_state_machine(stateMachineArn=first)["description"] == "first"
    done = client.start_sync_execution(stateMachineArn=first, input="1")
    assert done["output"] == "1" and done["stateMachineArn"] == first, done

    one = [{"stateMachineVersionArn": second, "weight": 100}]
    alias = client.create_state_machine_alias(name="PROD", routingConfiguration=one)["stateMachineAliasArn"]
    assert alias == arn + ":PROD", alias
    assert client.start_sync_execution(stateMachineArn=alias, input="1")["output"] == "2"
    both = [{"stateMachineVersionArn": first, "weight": 0}, {"stateMachineVersionArn": second, "weight": 100}]
    client.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=both, description="d")
    described = client.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert described["routingConfiguration"] == both and described["description"] == "d", described
    listed = client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [a["stateMachineAliasArn"] for a in listed] == [alias], listed
    refused("ConflictException", "[PROD]", client.delete_state_machine_version, stateMachineVersionArn=first)
    both[0]["weight"] = 1
    answer = refused("ValidationException", "must equal 100. Received: [1, 100]", client.create_state_machine_alias, name="b", routingConfiguration=both)
    assert answer["reason"] == "INVALID_ROUTING_CONFIGURATION", answer
    client.delete_state_machine_alias(stateMachineAliasArn=alias)
    refused("ResourceNotFound", "does not exist", client.describe_state_machine_alias, stateMachineAliasArn=alias)
    client.delete_state_machine_version(stateMachineVersionArn=first)
    refused("StateMachineDoesNotExist", first, client.start_sync_execution, stateMachineArn=first)


def standard(client):
    arn = client.create_state_machine(name="standard", definition=WAIT, roleArn=ROLE)["stateMachineArn"]
    refused("StateMachineTypeNotSupported", "not supported", client.start_sync_execution, stateMachineArn=arn)
    execution = client.start_execution(stateMachineArn=arn, name="n")["executionArn"]
    refused("ExecutionAlreadyExists", execution, client.start_execution, stateMachineArn=arn, name="n", input="1")
    assert client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"][0]["name"] == "n"
    assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert client.describe_state_machine_for_execution(executionArn=execution)["definition"] == WAIT
    entered = client.get_execution_history(executionArn=execution, maxResults=1, reverseOrder=True)["events"][0]
    assert entered["type"] == "WaitStateEntered" and entered["stateEnteredEventDetails"]["input"] == "{}", entered
    assert client.list_map_runs(executionArn=execution)["mapRuns"] == []
    refused("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven", client.redrive_execution, executionArn=execution)
    client.stop_execution(executionArn=execution, error="E", cause="C")
    for _ in range(1000):
        stopped = client.describe_execution(executionArn=execution)
        if stopped["status"] != "RUNNING":
            break
    assert (stopped["status"], stopped["error"], stopped["cause"]) == ("ABORTED", "E", "C"), stopped
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution, PaginationConfig={"PageSize": 1})
    events = [event for page in pages for event in page["events"]]
    assert [event["type"] for event in events] == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"], events
    assert events[-1]["executionAbortedEventDetails"] == {"error": "E", "cause": "C"}, events
    client.delete_state_machine(stateMachineArn=arn)


def main(url):
    client = boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )
    arn = machines(client)
    express(client, arn)
    versions(client, arn)
    standard(client)
    client.delete_state_machine(stateMachineArn=arn)
    refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'", client.start_sync_execution, stateMachineArn=arn)

    refused("InvalidName", "'a b'", client.create_activity, name="a b")
    activity = arn.replace("stateMachine", "activity")
    refused("ActivityDoesNotExist", activity, client.describe_activity, activityArn=activity)
    assert client.list_activities()["activities"] == []
    client.delete_activity(activityArn=activity)
    refused("ActivityDoesNotExist", activity, client.get_activity_task, activityArn=activity, workerName="w")
    print("ok")


if __name__ == "__main__":
    main(sys.argv[1])
