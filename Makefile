# Expressway. `make` alone lists the targets.

GO       ?= go
BIN      := $(CURDIR)/bin
# Only samconfig.toml sets the architecture.
ARCH     ?= $(shell sed -n 's/^parameter_overrides.*Architecture=\([a-z0-9_]*\).*/\1/p' samconfig.toml)
GOARCH   ?= $(if $(filter x86_64,$(ARCH)),amd64,arm64)
FUZZTIME ?= 10s
DIFFTIME ?= 1m
VENV     := $(CURDIR)/.venv
AWS_VENV := $(CURDIR)/.venv-aws
CHECKOV  := $(CURDIR)/.venv-checkov
PYTHON   ?= python3

.DEFAULT_GOAL := help
.PHONY: help run test ci lint fmt build bench fuzz validate clean venv sam model reliability jsonata-diff jsonata-bench vendors nightly soak release cdk terraform workflows screenshots notices

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the bridge and the local Step Functions, send the samples, keep running
	@test -x $(BIN)/expressway || echo "building bin/expressway; the first time, with its libraries, takes a minute"
	@$(GO) build -o $(BIN)/expressway ./cmd/expressway # go run would turn Ctrl-C into an error
	@$(BIN)/expressway dev --env-vars env.json --events events

test: ## the tests that need nothing but Go, without the long ones
	$(GO) test -short -shuffle=on ./...

build: ## build the command line tool and the functions into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/expressway ./cmd/expressway
	$(MAKE) build-WebhookFunction ARTIFACTS_DIR=$(BIN)/webhook
	$(MAKE) build-QueueFunction ARTIFACTS_DIR=$(BIN)/queue
	$(MAKE) build-EventFunction ARTIFACTS_DIR=$(BIN)/event

# SAM calls these (BuildMethod: makefile).
build-WebhookFunction: FUNCTION = webhook
build-QueueFunction:   FUNCTION = queue
build-EventFunction:   FUNCTION = event
.PHONY: build-WebhookFunction build-QueueFunction build-EventFunction
build-WebhookFunction build-QueueFunction build-EventFunction:
	@mkdir -p "$(ARTIFACTS_DIR)"
	CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) $(GO) build -trimpath -tags lambda.norpc \
		-ldflags='-s -w' -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(FUNCTION)
	cp expressway.yaml "$(ARTIFACTS_DIR)/expressway.yaml"

release: ## write the layer, the functions, the command, checksums and SBOM of VERSION into dist/
	$(GO) run ./internal/dist/release -version "$(VERSION)" -o dist

cdk: ## compile the CDK constructs with jsii, synthesize and check them
	cd deploy/cdk && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build && npm test --silent

# Bindings generated from the providers' schemas. They are read as archives and never unpacked (71 MB).
PROVIDERS := $(CURDIR)/.terraform-providers
$(PROVIDERS)/.done: Makefile
	mkdir -p $(PROVIDERS)
	cd $(PROVIDERS) && npm pack --silent @cdktf/provider-aws@19.28.0 @cdktf/provider-aws@21.22.1 @cdktf/provider-archive@11.0.1
	touch $@

terraform: $(PROVIDERS)/.done ## check the Terraform module against the providers' schemas
	EXPRESSWAY_TERRAFORM_PROVIDERS=$(PROVIDERS) $(GO) test -count=1 ./deploy/terraform

workflows: ## lint the workflows of .github
	$(GO) tool actionlint

fmt: ## format the code
	$(GO) tool gofumpt -w cmd deploy/*.go functions internal pkg

lint: ## formatting, vet, staticcheck
	@unformatted="$$($(GO) tool gofumpt -l cmd deploy/*.go functions internal pkg)"; \
		if [ -n "$$unformatted" ]; then echo "make fmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench: ## measure the budgets and write docs/performance.md
	$(GO) run ./internal/bench -o docs/performance.md

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) GO=$(GO) ./.ci/fuzz

model: ## run 100,000 random actions against the queue function and a simulated queue
	$(GO) test -run '^TestModel$$' -count=1 -v ./pkg/sqsbatch -rapid.checks=1000 -rapid.steps=105

reliability: venv ## send 10,000 messages over the wire, under faults, and write the account into docs/reliability.md
	EXPRESSWAY_PYTHON=$(VENV)/bin/python $(GO) test -count=1 -v -timeout 30m ./internal/reliability -args -messages 10000 -update

soak: ## record 100,000 deliveries and list 100,000 executions, and measure memory
	EXPRESSWAY_SOAK=1 $(GO) test -count=1 -v -timeout 30m -run '^TestSoak' ./pkg/console ./pkg/statesapi

jsonata-diff: ## compare JSONata with the reference, in Node, for DIFFTIME (1m)
	@DIFFTIME=$(DIFFTIME) DIFFSEED=$(DIFFSEED) GO=$(GO) .ci/jsonata-diff

vendors: ## check our signatures with the providers' own libraries, in Node
	cd internal/vendors && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error
	EXPRESSWAY_VENDORS=1 $(GO) test -count=1 -v ./internal/vendors

jsonata-bench: ## compare the speed of JSONata with the reference's and write docs/jsonata-performance.md
	cd internal/jsonataref && npm ci --no-audit --no-fund --loglevel=error
	$(GO) run ./internal/jsonatabench -o docs/jsonata-performance.md

venv: $(VENV)/.done $(AWS_VENV)/.done $(CHECKOV)/.done
$(VENV)/.done: requirements-ci.lock
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-ci.lock
	touch $@
$(AWS_VENV)/.done: requirements-aws.lock
	$(PYTHON) -m venv $(AWS_VENV)
	$(AWS_VENV)/bin/pip install --quiet --require-hashes --requirement requirements-aws.lock
	touch $@
$(CHECKOV)/.done: requirements-checkov.lock
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --require-hashes --requirement requirements-checkov.lock
	touch $@

validate: venv ## check the template and the build with the SAM CLI, cfn-lint and checkov
	@.ci/validate $(VENV)/bin $(CHECKOV)/bin

ci: ## what CI runs, in order
	@.ci/steps

nightly: venv ## checks that take too long for CI: the model, ten thousand messages, Node's JSONata, the providers' libraries, long fuzzing
	$(MAKE) model
	$(MAKE) reliability
	$(MAKE) soak
	$(MAKE) jsonata-diff DIFFTIME=10m
	$(MAKE) vendors
	$(MAKE) cdk
	$(MAKE) fuzz FUZZTIME=60s

screenshots: ## take the screenshots of docs/console.md, with Chromium
	EXPRESSWAY_SCREENSHOTS=$(CURDIR)/docs/images $(GO) test -count=1 -run '^TestScreenshots$$' ./cmd/expressway

notices: ## write THIRD_PARTY_NOTICES.md
	$(GO) test -count=1 ./internal/notices -update

clean: ## remove what was built
	rm -rf $(BIN) .aws-sam $(VENV) $(AWS_VENV) $(CHECKOV) $(PROVIDERS)
