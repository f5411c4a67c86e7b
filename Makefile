# One way to do each thing, for people and for CI alike. `make help` lists them.
#
# Everything is built once, in one profile and one directory outside of the checkout: the C++ of RocksDB takes longer
# than all the rest together, and would be built again for every other profile, target directory or set of flags.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO_TARGET_DIR ?= $(HOME)/.cache/lapsed/target
export CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
# The flags stand in .cargo/config.toml; any from outside would replace them and build RocksDB again.
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS

CARGO_FLAGS := --release --locked

.PHONY: help
help: ## What can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install what a build and the tests need (Debian; asks for nothing when it is all there).
	@scripts/setup build test

.PHONY: setup-build
setup-build:
	@scripts/setup build

.PHONY: build
build: setup-build ## Build bin/lapsed and bin/lapse.
	cargo build $(CARGO_FLAGS) --bins
	@mkdir -p bin
	@ln -sfn "$(CARGO_TARGET_DIR)/release/lapsed" bin/lapsed
	@ln -sfn "$(CARGO_TARGET_DIR)/release/lapse" bin/lapse

.PHONY: demo
demo: build ## Show in one minute what it does: an evening of a small ISP, six answers, and that nothing is left.
	@cargo run $(CARGO_FLAGS) --quiet --example demo

.PHONY: test
test: setup ## Check the formatting, the lints, the tests and the documentation. The one gate.
	cargo fmt --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --no-deps
	cargo test $(CARGO_FLAGS)

.PHONY: proof
proof: proof-wire proof-events proof-freeradius proof-lookup proof-settle proof-exhibit proof-crash proof-gone proof-purge-crash proof-load proof-desk proof-purge proof-month proof-api ## The long shows, all of them.

.PHONY: proof-wire
proof-wire: setup ## A million hostile datagrams into each reader.
	LAPSED_PROPTEST_CASES=1000000 cargo test $(CARGO_FLAGS) --test wire_total

.PHONY: proof-events
proof-events: setup ## A million lines in one stream, and kill -9 in the middle of forty.
	LAPSED_STREAM_LINES=1000000 LAPSED_STREAM_ROUNDS=40 cargo test $(CARGO_FLAGS) --test events_stream

.PHONY: proof-freeradius
proof-freeradius: setup ## FreeRADIUS in front, and the daemon dead for 20 s: nothing lost, nothing twice.
	LAPSED_OUTAGE_SECS=20 cargo test $(CARGO_FLAGS) --test freeradius

.PHONY: proof-lookup
proof-lookup: setup ## A hundred thousand random histories, every answer against a naive reference.
	LAPSED_HISTORIES=100000 cargo test $(CARGO_FLAGS) --test lookup_model

.PHONY: proof-settle
proof-settle: setup ## A hundred thousand histories in stores that settle and forget, every answer against one that does not.
	LAPSED_SETTLED_HISTORIES=100000 cargo test $(CARGO_FLAGS) --test settle_model

.PHONY: proof-exhibit
proof-exhibit: setup ## Twenty thousand histories, and exhibits of random spans of them: every answer is that of the store.
	LAPSED_SEALED_HISTORIES=20000 cargo test $(CARGO_FLAGS) --test exhibit_model

.PHONY: proof-crash
proof-crash: setup ## kill -9, two hundred times: nothing acknowledged is lost.
	LAPSED_CRASH_ROUNDS=200 cargo test $(CARGO_FLAGS) --test crash

.PHONY: proof-gone
proof-gone: setup ## A thousand canaries, 47 h 59 min 50 s old: found, purged at the millisecond, and 75 s later in no file.
	LAPSED_CANARIES=1000 cargo test $(CARGO_FLAGS) --test purge_daemon

.PHONY: proof-purge-crash
proof-purge-crash: setup ## A purge cut short before every step and two hundred times anywhere: gone all the same, nothing lost.
	LAPSED_PURGE_ABORTS=200 cargo test $(CARGO_FLAGS) --test purge_crash

.PHONY: proof-load
proof-load: build ## 20,000 statements a second for a minute, over UDP: none lost, memory bounded.
	cargo run $(CARGO_FLAGS) --example load -- --rate 20000 --seconds 60

.PHONY: proof-desk
proof-desk: build ## Lookups at rest, and 200 a second from 8 desks beside 10,000 statements a second for a minute.
	cargo run $(CARGO_FLAGS) --example load -- --desks 8 --lookups 200 --rate 10000 --seconds 60

.PHONY: proof-purge
proof-purge: build ## The same for five minutes with a window of 60 s: nothing destroyed late, and it costs little.
	cargo run $(CARGO_FLAGS) --example load -- --rate 20000 --seconds 300 --window 60s --bucket 5s --purge-interval 5s \
		--lookups 50 --baseline 60

.PHONY: proof-month
proof-month: setup ## Thirty days, a purge run a minute: verified in seconds, and a page that says what happened.
	LAPSED_MONTH_DAYS=30 LAPSED_MONTH_STEP=1 cargo test $(CARGO_FLAGS) --test audit_month -- --nocapture

.PHONY: proof-api
proof-api: ## A minute of requests made from the API's own document, right and wrong ones: no fault, and all as described.
	@scripts/setup build test fuzz
	LAPSED_FUZZ_SECS=60 cargo test $(CARGO_FLAGS) --test api_fuzz

.PHONY: man
man: build ## Write the manual to man/.
	bin/lapsed man man

.PHONY: completions
completions: build ## Write what makes bash, zsh and fish complete our commands to completions/.
	@mkdir -p completions
	for shell in bash zsh fish; do for command in lapsed lapse; do \
		bin/$$command completions $$shell >completions/$$command.$$shell; done; done

.PHONY: bench
bench: setup-build ## Measure; in the release profile, so that RocksDB is not built again.
	cargo bench --locked --profile release --bench '*'

.PHONY: run
run: build ## Run the daemon on config/lapsed.toml, in the foreground.
	bin/lapsed run --config config/lapsed.toml

.PHONY: clean
clean: ## Remove bin/, man/ and completions/. What was built stays where it is, because RocksDB takes so long.
	rm -rf bin man completions
