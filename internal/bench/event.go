package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	machineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:bench"
	secret     = "it is only a benchmark"
	// bodySize is the size of GitHub's push of one commit, in compact JSON.
	bodySize = 7678
)

// pushBody is a body like that of a GitHub push: a repository with many URLs, a sender,
// some commits, in exactly bodySize bytes.
func pushBody() []byte {
	type object = map[string]any
	const api = "https://api.github.example/repos/octo/harbour"
	user := object{"login": "octo", "id": 21031067, "node_id": "MDQ6VXNlcjIxMDMxMDY3", "type": "User", "site_admin": false}
	repository := object{
		"id": 186853002, "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=", "name": "harbour", "full_name": "octo/harbour",
		"private": false, "owner": user, "description": "Ships \u2014 and what they carry", "fork": false,
		"size": 108, "stargazers_count": 0, "language": "Go", "default_branch": "main", "open_issues": 2, "topics": []string{},
		"created_at": 1557933565, "pushed_at": 1557933657, "license": nil,
	}
	for _, name := range strings.Fields(`keys collaborators teams hooks issue_events events assignees branches tags blobs
		git_tags git_refs trees statuses languages stargazers contributors subscribers subscription commits git_commits
		comments issue_comment contents compare merges archive downloads issues pulls milestones notifications labels releases deployments`) {
		repository[name+"_url"] = api + "/" + name + "{/id}"
	}
	for _, name := range strings.Fields("followers following gists starred subscriptions organizations repos received_events") {
		user[name+"_url"] = "https://api.github.example/users/octo/" + name
	}
	commits := make([]object, 5)
	for i := range commits {
		commits[i] = object{
			"id": fmt.Sprintf("%040x", 0xc0ffee+i), "tree_id": fmt.Sprintf("%040x", 0xdecaf+i), "distinct": true,
			"message": "Load the ship\n\nOne crate at a time.", "timestamp": "2019-05-15T15:20:41Z",
			"author": object{"name": "Octo", "email": "octo@example.com", "username": "octo"},
			"added":  []string{}, "removed": []string{}, "modified": []string{"crane.go", "crane_test.go"},
		}
	}
	push := object{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": commits[4]["id"], "created": false,
		"deleted": false, "forced": false, "base_ref": nil, "compare": api + "/compare/0...1", "commits": commits,
		"head_commit": commits[4], "repository": repository, "pusher": user, "sender": user, "note": "",
	}
	body := mustMarshal(push)
	push["note"] = strings.Repeat("n", max(0, bodySize-len(body)))
	return mustMarshal(push)
}

// webhookEvent returns the body as an event of the HTTP API, signed like GitHub's.
func webhookEvent(body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mustMarshal(map[string]any{
		"version": "2.0", "routeKey": "POST /github", "rawPath": "/github", "rawQueryString": "",
		"headers": map[string]string{
			"accept": "*/*", "content-length": fmt.Sprint(len(body)), "content-type": "application/json",
			"host": "hooks.example.com", "user-agent": "GitHub-Hookshot/044aadd", "x-forwarded-for": "192.0.2.1",
			"x-forwarded-port": "443", "x-forwarded-proto": "https",
			"x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "x-github-event": "push",
			"x-github-hook-id": "292430182", "x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		},
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "api-id", "domainName": "hooks.example.com", "domainPrefix": "hooks",
			"http": map[string]string{
				"method": "POST", "path": "/github", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "GitHub-Hookshot/044aadd",
			},
			"requestId": "JKJaXmPLvHcESHA=", "routeKey": "POST /github", "stage": "$default",
			"time": "10/Mar/2020:05:16:23 +0000", "timeEpoch": 1583817383220,
		},
		"body": string(body), "isBase64Encoded": false,
	})
}

// queueEvent is a batch of n messages of a standard queue.
func queueEvent(n int) []byte {
	records := make([]map[string]any, n)
	for i := range records {
		records[i] = map[string]any{
			"messageId": fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i), "receiptHandle": fmt.Sprintf("receipt-%d", i),
			"body": fmt.Sprintf(`{"orderId":%d,"items":[{"sku":"crate","quantity":2}]}`, i),
			"attributes": map[string]string{
				"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183",
				"SenderId": "AIDAEXAMPLE", "ApproximateFirstReceiveTimestamp": "1545082649185",
			},
			"messageAttributes": map[string]any{}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders", "awsRegion": "us-east-1",
		}
	}
	return mustMarshal(map[string]any{"Records": records})
}

// mustMarshal is for values made here of maps, strings and numbers, which always marshal.
func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
