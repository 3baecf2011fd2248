# `make help` lists what there is. Only Go is needed; the versions of all tools are pinned in internal/tools.

GO        ?= go
TESTFLAGS ?=
BENCHTIME ?= 1s
ARCH      ?= $(shell $(GO) env GOARCH)
ARGS      ?=
FUZZTIME  ?= 10s

TOOLS := $(GO) tool -modfile=internal/tools/go.mod
# Its cache is in the checkout, since it names files by their path.
LINT  := GOLANGCI_LINT_CACHE=$(CURDIR)/build/lint-cache $(GO) tool -modfile=internal/tools/lint/go.mod golangci-lint

export VERSION := $(shell sed -n 's/^const Number = "\(.*\)"/\1/p' internal/version/version.go)
# So that packages of one commit are the same, byte by byte.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.DEFAULT_GOAL := help
.PHONY: run build packages programs rootfs release-check test lint generate vendor-page screenshots bench bench-peers bench-find fuzz clean help bin/otelcol-isbl bin/eventctl

run: bin/otelcol-isbl ## Run the collector as it is, or with CONFIG=my.yaml; it keeps its events in ./data
	bin/otelcol-isbl $(if $(CONFIG),--config $(CONFIG))

build: bin/otelcol-isbl bin/eventctl ## Build the collector bin/otelcol-isbl and the client bin/eventctl

# Always left to Go, which knows what it has compiled.
bin/otelcol-isbl bin/eventctl:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@ ./cmd/$(@F)

# Both programs for Linux on ARCH, their manual pages and completions.
programs: build
	@rm -rf build/manual build/completion && mkdir -p build/linux-$(ARCH) build/completion/bash build/completion/zsh build/completion/fish
	GOOS=linux GOARCH=$(ARCH) CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o build/linux-$(ARCH)/ ./cmd/otelcol-isbl ./cmd/eventctl
	@set -e; for program in otelcol-isbl eventctl; do \
		bin/$$program man build/manual; \
		bin/$$program completion bash >build/completion/bash/$$program; \
		bin/$$program completion zsh >build/completion/zsh/_$$program; \
		bin/$$program completion fish >build/completion/fish/$$program.fish; \
	done
	@gzip -9n build/manual/*.1

packages: programs ## Build a deb and an rpm into build/packages; ARCH=arm64 for another machine
	@mkdir -p build/packages
	@set -e; for kind in deb rpm; do \
		ARCH=$(ARCH) $(GO) tool -modfile=internal/tools/packages/go.mod nfpm package -f packaging/nfpm.yaml -p $$kind -t build/packages/; \
	done

# What the Dockerfile puts into the image; the container's user is 10001.
rootfs: programs
	@rm -rf build/rootfs && mkdir -p build/rootfs/usr/bin build/rootfs/etc/ssl/certs build/rootfs/var/lib/isbl build/rootfs/proc
	@cp build/linux-$(ARCH)/otelcol-isbl build/linux-$(ARCH)/eventctl build/rootfs/usr/bin/
	@echo 'isbl:x:10001:10001::/var/lib/isbl:/nonexistent' >build/rootfs/etc/passwd
	@echo '127.0.0.1 localhost' >build/rootfs/etc/hosts
	@if test -f /etc/ssl/certs/ca-certificates.crt; then cp /etc/ssl/certs/ca-certificates.crt build/rootfs/etc/ssl/certs/; fi

# A tag has the version of the source, which has a date in the changelog.
release-check:
	test '$(TAG)' = 'v$(VERSION)'
	grep -qE '^## \[$(VERSION)\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$$' CHANGELOG.md

test: build ## Run every test, end to end against the built binary too; TESTFLAGS=-race and the like
	$(GO) test -timeout=20m $(TESTFLAGS) ./...
	$(GO) -C bench test $(TESTFLAGS) ./...
	$(GO) -C test/deploy test $(TESTFLAGS) ./...

lint: ## Check the code with golangci-lint; LINTFLAGS=--fix repairs what it can
	$(LINT) run --allow-parallel-runners $(LINTFLAGS) ./...
	cd bench && $(subst internal/tools,../internal/tools,$(LINT)) run --allow-parallel-runners $(LINTFLAGS) ./...
	cd test/deploy && $(subst internal/tools,../../internal/tools,$(LINT)) run --allow-parallel-runners $(LINTFLAGS) ./...

generate: ## Regenerate what is generated from metadata.yaml of the components, builder-config.yaml and config.yaml
	$(GO) generate ./...
	$(TOOLS) builder --config builder-config.yaml --skip-compilation --skip-get-modules
	mv build/components.go cmd/otelcol-isbl && rm build/main*.go
	gofmt -w cmd/otelcol-isbl/components.go
	cp config.yaml cmd/otelcol-isbl

vendor-page: ## Take the page's modules from npm anew, as internal/dashboard/package.json says
	internal/dashboard/vendor.sh

screenshots: ## Write the pictures of docs/dashboard.md; needs Chromium
	$(GO) test ./internal/dashboard -run TestScreenshots -count=1 -screenshots

bench: ## Run every benchmark; BENCHTIME=5s for steadier figures
	$(GO) test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) ./...

bench-peers: build build/stock/otelcol-stock build/nats-server ## Measure beside stock collectors, and write docs/performance.md; ARGS=-help
	$(GO) -C bench build -o ../build/bench-peers .
	build/bench-peers $(ARGS)

bench-find: build ## Measure how fast few events are found in a big store; ARGS='-find-events 100000000'
	$(GO) -C bench build -o ../build/bench-peers .
	build/bench-peers -only find $(ARGS)

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
