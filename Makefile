# `make help` lists what there is. Only Go is needed; the versions of all tools are pinned in internal/tools.

GO        ?= go
CONFIG    ?= config.yaml
TESTFLAGS ?=
BENCHTIME ?= 1s
ARGS      ?=
FUZZTIME  ?= 10s

TOOLS := $(GO) tool -modfile=internal/tools/go.mod
# Its cache is in the checkout, since it names files by their path.
LINT  := GOLANGCI_LINT_CACHE=$(CURDIR)/build/lint-cache $(GO) tool -modfile=internal/tools/lint/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: run build test lint generate bench bench-peers fuzz clean help bin/otelcol-isbl bin/eventctl

run: build ## Run the collector with config.yaml, or CONFIG=another.yaml; it keeps its events in ./data
	bin/otelcol-isbl --config $(CONFIG)

build: bin/otelcol-isbl bin/eventctl ## Build bin/otelcol-isbl as builder-config.yaml says, and the client bin/eventctl

# The program is generated anew when what it consists of changed; compiling is always left to Go, which knows what it has.
build/.generated: builder-config.yaml go.mod internal/tools/go.mod
	$(TOOLS) builder --config builder-config.yaml --skip-compilation
	@touch $@

bin/otelcol-isbl: build/.generated
	cd build && CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o ../$@ .

bin/eventctl:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@ ./cmd/eventctl

test: build ## Run every test, end to end against the built binary too; TESTFLAGS=-race and the like
	$(GO) test $(TESTFLAGS) ./...
	$(GO) -C bench test $(TESTFLAGS) ./...

lint: ## Check the code with golangci-lint; LINTFLAGS=--fix repairs what it can
	$(LINT) run --allow-parallel-runners $(LINTFLAGS) ./...
	cd bench && $(subst internal/tools,../internal/tools,$(LINT)) run --allow-parallel-runners $(LINTFLAGS) ./...

generate: ## Regenerate what is generated from the components' metadata.yaml
	$(GO) generate ./...

bench: ## Run every benchmark; BENCHTIME=5s for steadier figures
	$(GO) test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) ./...

bench-peers: build build/stock/otelcol-stock build/nats-server ## Measure beside stock collectors, and write docs/performance.md; ARGS=-help
	$(GO) -C bench build -o ../build/bench-peers .
	build/bench-peers $(ARGS)

build/stock/otelcol-stock: bench/stock-builder-config.yaml internal/tools/go.mod
	@mkdir -p build
	$(TOOLS) builder --config bench/stock-builder-config.yaml --skip-compilation
	cd build/stock && CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o otelcol-stock .

build/nats-server: go.mod
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@ github.com/nats-io/nats-server/v2

fuzz: ## Run each fuzz target for FUZZTIME=10s
	@set -e; grep -rHEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' --exclude-dir=build --exclude-dir=node_modules . \
	| sed 's|/[^/]*:func | |' | sort -u | while read -r folder target; do \
		echo "$$folder $$target"; \
		$(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x "$$folder" </dev/null; \
	done

clean: ## Remove what was built; ./data stays
	rm -rf bin build

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
