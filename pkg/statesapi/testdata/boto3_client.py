"""Drives a Step Functions endpoint through boto3: python boto3_client.py URL"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


def main(url):
    client = boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )
    arn = client.create_state_machine(
        name="boto3", definition=DEFINITION, roleArn="arn:aws:iam::123456789012:role/test", type="EXPRESS"
    )["stateMachineArn"]
    described = client.describe_state_machine(stateMachineArn=arn)
    assert described["definition"] == DEFINITION, described
    assert described["type"] == "EXPRESS", described

    pages = client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    names = [machine["name"] for page in pages for machine in page["stateMachines"]]
    assert names == ["boto3", "orders"], names

    done = client.start_sync_execution(stateMachineArn=arn, name="n", input='{"a": 1}')
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["output"]) == {"a": 1}, done
    assert done["billingDetails"]["billedMemoryUsedInMB"] == 64, done
    assert done["stopDate"] >= done["startDate"], done

    started = client.start_execution(stateMachineArn=arn)
    assert started["executionArn"].startswith(arn.replace("stateMachine", "express") + ":"), started

    client.delete_state_machine(stateMachineArn=arn)
    try:
        client.start_sync_execution(stateMachineArn=arn)
    except client.exceptions.StateMachineDoesNotExist as err:
        assert err.response["ResponseMetadata"]["HTTPStatusCode"] == 400, err.response
        assert err.response["Error"]["Message"] == f"State Machine Does Not Exist: '{arn}'", err.response
    else:
        raise AssertionError("a deleted state machine was started")
    try:
        client.list_activities()
    except ClientError as err:
        assert err.response["Error"]["Code"] == "UnknownOperationException", err.response
    else:
        raise AssertionError("an unknown operation was answered")
    print("ok")


if __name__ == "__main__":
    main(sys.argv[1])
