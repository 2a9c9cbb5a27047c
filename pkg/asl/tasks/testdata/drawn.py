"""Draws requests, or answers, for every action of some services, in the form of Step Functions
and in that of the wire: botocore writes requests, and moto answers that botocore can read.

    python3 drawn.py requests|answers SEED COUNT SERVICE...

A line of requests is {"action", "arguments", "method", "path", "query", "headers", "body"}, and
one of answers {"action", "status", "headers", "body", "result"}; bodies are in base64. The first
of each action has all members, and the others have those that are required and some of the rest.
Answers that botocore reads as something else than what was drawn are left out: {"unread": ACTION}.
"""

import base64
import datetime
import json
import random
import re
import sys
from urllib.parse import parse_qsl, urlsplit

import botocore.parsers
import botocore.session
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

TEXTS = "aZ09-_.~ /+%&=?#<>\"'\\:;@é€😀\t"
HEADER_TEXTS = "aZ09-_.~/+%&=?#<>'"
# botocore encodes these by itself, which the SDK for Java does not; and an endpoint by
# id is signed in a way that needs more than Python.
OMIT = {"SSECustomerKey", "SSECustomerKeyMD5", "CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5", "UserData",
        "EndpointId", "ChecksumAlgorithm", "ContentMD5"}


# moto does not write it in any existing format.
OMIT_ANSWER = {"Expires"}
# Actions of another service on the wire.
ELSEWHERE = {"ListDirectoryBuckets", "WriteGetObjectResponse"}


class Raw:
    def stream(self, *_, **__):
        yield b""

    def read(self, *_):
        return b""


def upper(name):
    return name[:1].upper() + name[1:]


class Draw:
    def __init__(self, rng, everything, answer):
        self.rng, self.everything, self.answer = rng, everything, answer

    def text(self, alphabet=TEXTS):
        # Spaces at an end do not survive in a header, and a text of dots is another path.
        return "t" + "".join(self.rng.choice(alphabet) for _ in range(self.rng.randrange(9))) + "e"

    def value(self, shape, name, location, depth):
        """The value as botocore takes it, and as Step Functions does."""
        rng, kind = self.rng, shape.type_name
        if kind in ("string", "character"):
            if name == "Bucket":
                v = "bucket-" + str(rng.randrange(100))
            elif name == "CopySource":
                v = "bucket/key"
            elif name == "RequestRoute":
                v = "route"  # a part of a host
            elif name == "EncodingType":
                v = "url"  # which botocore would add
            elif shape.enum:
                v = rng.choice(shape.enum)
            else:
                v = self.text(HEADER_TEXTS if location in ("header", "headers") else TEXTS)
            return v, v
        if kind in ("integer", "long"):
            v = 200 if location == "statusCode" else rng.choice([0, 1, 7, 123456789, -3])
            return v, v if self.answer else rng.choice([v, str(v)])
        if kind in ("float", "double"):
            v = rng.choice([0.5, 2.25, -1.75])
            return v, v
        if kind == "boolean":
            v = rng.choice([True, False])
            return v, v
        if kind == "timestamp":
            v = datetime.datetime.fromtimestamp(rng.randrange(1, 2_000_000_000), datetime.timezone.utc)
            text = v.strftime("%Y-%m-%dT%H:%M:%SZ")
            return v, text if self.answer else rng.choice([text, int(v.timestamp())])
        if kind == "blob":
            if location == "payload":
                v = self.text()
                return v.encode(), v
            v = bytes(rng.randrange(256) for _ in range(rng.randrange(9)))
            return v, base64.b64encode(v).decode()
        if kind == "list":
            pairs = [self.value(shape.member, "", location, depth + 1) for _ in range(rng.randrange(1, 3))]
            return [a for a, _ in pairs], [b for _, b in pairs]
        if kind == "map":
            ours, theirs = {}, {}
            for i in range(rng.randrange(1, 3)):
                key = rng.choice(shape.key.enum) if shape.key.enum else "k%d" % i
                theirs[key], ours[key] = self.value(shape.value, "", location, depth + 1)
            return theirs, ours
        if getattr(shape, "is_document_type", False):
            v = {"a": [1, None, {"b": "c"}]}
            return v, v
        return self.structure(shape, depth)

    def structure(self, shape, depth=0):
        theirs, ours = {}, {}
        members = [(n, s) for n, s in shape.members.items() if n not in (OMIT_ANSWER if self.answer else OMIT) and not getattr(s, "is_eventstream", False)]
        if getattr(shape, "is_tagged_union", False):
            members = [self.rng.choice(members)]
        for name, member in members:
            required = name in shape.required_members or getattr(shape, "is_tagged_union", False) or name == "EncodingType"
            if not required and (depth > 3 or self.rng.random() > (1 if self.everything and depth < 2 else 0.3)):
                continue
            if depth > 8:
                continue  # a structure that requires itself
            location = member.serialization.get("location")
            if shape.serialization.get("payload") == name:
                location = "payload"
            theirs[name], ours[upper(name)] = self.value(member, name, location, depth + 1)
        return theirs, ours


def main(what, seed, count, services):
    session = botocore.session.Session()
    by_id = {}
    for folder in session.get_available_services():
        by_id.setdefault(re.sub("[^a-z0-9]", "", folder.lower()), folder)
    other = {"cloudwatchlogs": "logs", "cognitoidentityprovider": "cognito-idp", "eventbridge": "events", "sfn": "stepfunctions"}
    for name in services:
        client = session.create_client(
            other.get(name) or by_id[name], region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="local", aws_secret_access_key="local",
            config=Config(endpoint_discovery_enabled=False, parameter_validation=False, inject_host_prefix=False, request_checksum_calculation="when_required",
                          retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))
        model = client.meta.service_model
        for action in model.operation_names:
            if action in ELSEWHERE:
                continue
            for n in range(count):
                rng = random.Random(f"{seed} {name} {action} {n}")
                draw = Draw(rng, n == 0, what == "answers")
                {"requests": request, "answers": answer}[what](client, name, model.operation_model(action), draw)


def request(client, name, operation, draw):
    if operation.has_event_stream_input:
        return
    theirs, ours = draw.structure(operation.input_shape) if operation.input_shape else ({}, {})
    sent = []

    def capture(request, **_):
        sent.append(request)
        return AWSResponse(request.url, 200, {}, Raw())

    client.meta.events.register_first("before-send", capture, unique_id="capture")
    method = next(m for m, api in client.meta.method_to_api_mapping.items() if api == operation.name)
    failure = ""
    try:
        getattr(client, method)(**theirs)
    except Exception as e:  # the answer that nobody sent cannot be read
        failure = repr(e)
    client.meta.events.unregister("before-send", unique_id="capture")
    if not sent:
        raise SystemExit(f"{name}:{operation.name} {theirs}: {failure}")
    show(name, operation.name, ours, sent[0])


def answer(client, name, operation, draw):
    if operation.has_event_stream_output or not operation.output_shape:
        return
    theirs, ours = draw.structure(operation.output_shape)
    model = client.meta.service_model
    protocol = model.resolved_protocol
    action = f"{name}:{operation.name[:1].lower()}{operation.name[1:]}"
    served = get_service_model(model.service_name).operation_model(operation.name)
    try:
        wire = get_serializer_class(model.service_name, protocol)(served).serialize(theirs)
    except Exception:
        print(json.dumps({"unread": action}))
        return
    body = wire["body"].encode() if isinstance(wire["body"], str) else wire["body"]
    headers = HeadersDict(wire["headers"])
    try:
        read = botocore.parsers.create_parser(protocol).parse(
            {"body": body, "headers": headers, "status_code": 200, "context": {}}, operation.output_shape)
        read.pop("ResponseMetadata", None)
    except Exception as e:
        read = e
    if texts(read) != texts(theirs):
        print(json.dumps({"unread": action}))
        return
    print(json.dumps({"action": action, "status": 200, "headers": dict(headers.items()),
                      "body": base64.b64encode(body).decode(), "result": ours}))


def texts(v):
    """A body that is streamed is read as bytes or as text."""
    if isinstance(v, dict):
        return {k: texts(x) for k, x in v.items()}
    if isinstance(v, list):
        return [texts(x) for x in v]
    return v.decode("utf-8", "replace") if isinstance(v, bytes) else v


def show(name, action, arguments, request):
    url = urlsplit(request.url)
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
    print(json.dumps({
        "action": f"{name}:{action[:1].lower()}{action[1:]}", "arguments": arguments, "method": request.method, "path": url.path,
        "query": parse_qsl(url.query, keep_blank_values=True), "headers": headers, "body": base64.b64encode(body or b"").decode(),
        "signing": headers.get("authorization", "").partition("Credential=local/")[2].partition("/us-east-1/")[2].partition("/")[0],
    }))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
