# make           what can be made
# Results go to .build/ (programs, images) and .report/ (verdicts). Nothing here needs more than Go, a C compiler and a Docker engine.
KIND_CONFIG ?= kind-configs/ha.yaml
PROFILE     ?=
CLUSTER     ?=
STOCK       ?=
FOCUS       ?=
MUTANT      ?=
KEEP        ?=
TAG         ?= dev
PLUMB       := .build/bin/plumb
# The engine has no reaper image to pull; the harness cleans up by label.
export TESTCONTAINERS_RYUK_DISABLED := true
export PLUMB_TAG := $(TAG)

.DEFAULT_GOAL := help
.PHONY: help build image test e2e null mutants up down transcript bench lint clean $(PLUMB)

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  KIND_CONFIG=FILE  cluster shape in kind format ($(KIND_CONFIG))'
	@echo '  FOCUS=TEXT        only requirements whose name holds TEXT (a partial run gives no verdict)'
	@echo '  MUTANT=NAME       the mutants that make mutants runs, by name, comma-separated (default: all)'
	@echo '  PROFILE=LIST      profiles that make e2e judges (default: all)'
	@echo '  KEEP=1            leave the cluster of make e2e running'
	@echo '  TAG=NAME          tag of the images in the local engine, to keep several checkouts apart ($(TAG))'
	@echo '  STOCK=KUBECONFIG  a cluster to compare with in make bench: its nodes are containers here (default: none, and no ratios)'
	@echo '  CLUSTER=NAME      name of the cluster for up and down (default: the one in KIND_CONFIG); e2e judges it as it runs'

build: ## build our programs and kubectl into .build/bin
	@go run ./fixtures/build cni node control plumb kubectl

$(PLUMB):
	@go run ./fixtures/build plumb

test: ## vet, and all tests that need no Docker, under the race detector
	@go vet ./... && go test -race ./... && echo 'PASS: make test' || { echo 'FAIL: make test'; exit 1; }

image: ## build the node, registry and fault images and load them into Docker
	@go run ./fixtures/build

e2e: image $(PLUMB) ## boot a cluster of KIND_CONFIG, or take CLUSTER, and check its conformance; the verdict is the last line
	@$(PLUMB) check $(if $(CLUSTER),--cluster $(CLUSTER),--config $(KIND_CONFIG))$(if $(PROFILE), --profile $(PROFILE)) --report-dir .report $(if $(FOCUS),--focus '$(FOCUS)') $(if $(KEEP),--keep)

null: ## prove that every spec of the API can fail: targets that tamper with what a control plane answers (no Docker)
	@go test -count=1 -v -run NullTargets ./conformance/kills/null && echo 'PASS: make null' || { echo 'FAIL: make null'; exit 1; }

mutants: image $(PLUMB) ## prove that the suite catches bugs: build mutants of the orchestrator, or MUTANT alone, and hold the specs to fail
	@go run ./conformance/cmd/kills --tag $(TAG)$(if $(MUTANT), --mutant $(MUTANT))

up: image $(PLUMB) ## boot a cluster of KIND_CONFIG and leave it running
	@$(PLUMB) cluster up --config $(KIND_CONFIG) $(if $(CLUSTER),--name $(CLUSTER)) --kubeconfig .build/kubeconfig

down: $(PLUMB) ## remove the cluster that make up made
	@$(PLUMB) cluster down $(or $(CLUSTER),$$(sed -n 's/^name: *//p' $(KIND_CONFIG)))

transcript: $(PLUMB) ## compare kubectl on the cluster of make up with the recording of stock
	@go run ./fixtures/build kubectl
	@$(PLUMB) transcript --kubeconfig .build/kubeconfig

bench: image $(PLUMB) ## measure memory, API and pod start of a cluster, against that of STOCK if given; figures in .report/bench.json
	@$(PLUMB) bench --config kind-configs/small.yaml --name bench$(if $(STOCK), --against $(STOCK)) && echo 'PASS: make bench' || { echo 'FAIL: make bench'; exit 1; }

lint: ## gofmt, vet and staticcheck
	@unformatted=$$(gofmt -l orchestrator conformance fixtures); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted"; echo 'FAIL: make lint'; exit 1; }
	@go run ./fixtures/build staticcheck && go vet ./... && .build/bin/staticcheck ./... && echo 'PASS: make lint' || { echo 'FAIL: make lint'; exit 1; }

clean: ## remove .build and .report
	@rm -rf .build .report
