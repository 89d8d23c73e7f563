# All tasks of this repository, for people and for CI. `make` alone lists them.
#
# On a fresh Debian 12 with a Rust toolchain every task works: .ci/packages installs the Debian packages. Network
# namespaces need root. If make does not run as root, cargo builds as the current user, and only the built programs
# run under sudo.

SHELL := /bin/bash
CARGO ?= cargo
ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH)
# On Debian only root's PATH contains ip, nft and conntrack.
export PATH := $(PATH):/usr/sbin:/sbin

ifneq ($(ROOT),)
HOST := $(shell rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export CARGO_TARGET_$(HOST)_RUNNER := sudo --preserve-env $(CURDIR)/.ci/test-runner
endif

SCHEMAS := docs/schemas
REFERENCE := docs/src/commands.md
BOOK := target/book
NETEXT := $(CARGO) run --quiet --package netext-tool --
EXECUTABLE := target/release/netext-namespace
# Scenarios of one host that run a second time with every command sent over SSH. Not among them: scenarios that count the
# host's processes, which then include sshd, that reconcile a host by hand, or that let single system calls fail.
OVER_SSH := lifecycle port_forward static_nat source_nat restart firewall vpc balancer guest_services \
	absent_fields nic_identity readme_life second_range \
	--skip leaves_nothing --skip a_rebooted_host --skip take_down --skip atomic::
# The crates with fuzz targets, and the duration of each target in `make fuzz`, in seconds. What a target finds to be new
# goes to a folder of the build; what is worth a test goes to the committed corpus.
FUZZED := netext-protocol netext-core/tool netext-namespace
FUZZ_SECONDS ?= 60
FUZZ_LIMITS := -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
GROWN := $(CURDIR)/target/fuzz/grown
# More arguments for the programs behind these tasks, such as BENCH="--quick --json" or MODEL="--seed 77".
DEMO ?=
SWEEP ?=
CHAOS ?=
BENCH ?=
MODEL ?=
# The crates that vendors build on, and the lists of what they offer.
LIBRARIES := netext-protocol netext-core
API := docs/api

# Installs a tool from crates.io if it is absent: $(call tool,NAME,VERSION,OPTIONS). Debug builds are ready sooner.
tool = command -v $(1) >/dev/null || \
	CARGO_TARGET_DIR=target/tools $(CARGO) install --quiet --locked --debug $(1)@$(2) $(3)
# Prints the public API of a library.
public_api = RUSTC_BOOTSTRAP=1 $(CARGO) rustdoc --quiet --package $(1) --all-features --lib --target-dir target/api \
		-- -Z unstable-options --output-format json && \
	$(CARGO) run --quiet --package netext-book --bin api target/api/doc/$(subst -,_,$(1)).json

.DEFAULT_GOAL := help
.PHONY: help demo test python generators python-types tool machine-test sweep chaos model bench lint schemas \
	schemas-check api api-check features oldest-rust book audit fuzz packages clean

help: # List the tasks.
	@printf 'netext: network extensions for Apache CloudStack\n\n'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: packages ## Play the life of a network in temporary namespaces, with packets that prove each command.
	@$(CARGO) build --quiet --package netext-namespace --package netext-lab --bins
	@$(ROOT) target/debug/demo --exec target/debug/netext-namespace $(DEMO)

test: packages ## Run all tests and doc examples; tests of the packet path use real namespaces.
	$(CARGO) test --workspace --all-features
	NETEXT_LAB=fleet $(CARGO) test --workspace --all-features --test networks -- $(OVER_SSH)
	@$(MAKE) --no-print-directory sweep SWEEP=--short
	@$(MAKE) --no-print-directory chaos CHAOS=--short
	@$(MAKE) --no-print-directory python generators

python: tool ## Run a part of test: the tests and the conformance of the Python example.
	export PATH="$(CURDIR)/target/debug:$$PATH" && cd examples/python && \
		../../.ci/clean-machine python3 -m unittest discover -t . -s tests
	export PATH="$(CURDIR)/target/debug:$$PATH" && .ci/clean-machine \
		sh -c 'NETEXT_MINIMAL_FOLDER=$$(mktemp -d) netext conformance --exec examples/python/minimal.sh'

generators: packages tool ## Run a part of test: code generators on the strict schemas (about a minute).
	netext-protocol/generators/check.py target/debug/netext

python-types: packages ## Generate the types of the Python example, after a change of the schemas.
	netext-protocol/generators/check.py --write-example

tool:
	@$(CARGO) build --quiet --package netext-tool

machine-test: packages ## Run a part of test: boot an emulated KVM host with its own kernel.
	$(CARGO) test --package netext-namespace --test machine

sweep: packages ## Kill and fail every system call of every command, and test what is left (a night; SWEEP=--short: 80 s).
	@$(CARGO) build --quiet --package netext-namespace --package netext-lab --bins
	@$(ROOT) .ci/clean-machine target/debug/sweep --exec target/debug/netext-namespace $(SWEEP)

chaos: packages ## Play random worlds with faults, and test packets after each round (an hour; CHAOS=--short: 80 s).
	@$(CARGO) build --quiet --package netext-namespace --package netext-lab --bins
	@$(ROOT) .ci/clean-machine target/debug/chaos --exec target/debug/netext-namespace $(CHAOS)

bench: packages ## Measure commands and packet path against a baseline of the same run (about 8 minutes).
	@$(CARGO) build --quiet --release --package netext-namespace --package netext-lab --package netext-example-minimal --bins
	@$(ROOT) target/release/bench --exec $(EXECUTABLE) $(BENCH)

model: packages ## Try random commands and packets against a plain reading of the rules (a minute, or MODEL="--seconds 28800").
	@$(CARGO) build --quiet --package netext-namespace --package netext-lab --bins
	@$(ROOT) target/debug/model --exec target/debug/netext-namespace $(MODEL)

lint: packages ## Check formatting, lints and documentation; warnings are errors.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --all-features --no-deps --document-private-items

schemas: ## Generate docs/schemas and the book's command reference, after a change of the types.
	$(NETEXT) schema --out $(SCHEMAS)
	$(NETEXT) schema --format markdown --out $(REFERENCE)

schemas-check: ## Fail if the committed schemas or command reference differ from the types.
	$(NETEXT) schema --check $(SCHEMAS)
	$(NETEXT) schema --format markdown --check $(REFERENCE)

api: ## List the public API of the libraries in docs/api, after a change of it.
	@mkdir -p $(API)
	@$(foreach library,$(LIBRARIES),{ $(call public_api,$(library)); } >$(API)/$(library).txt &&) true

api-check: ## Fail if the public API of a library differs from the committed list: run `make api` and review it.
	@set -o pipefail; $(foreach library,$(LIBRARIES),\
		{ $(call public_api,$(library)); } | diff -u $(API)/$(library).txt - &&) true

features: ## Lint every package by itself, with every combination of its features.
	@$(call tool,cargo-hack,0.6.46)
	$(CARGO) hack clippy --workspace --feature-powerset -- -D warnings

oldest-rust: ## Check everything but the book with the minimum Rust version: rust-version in Cargo.toml.
	rust=$$(.ci/packages --oldest-rust) && export RUSTC=$$rust/usr/bin/rustc && \
		LD_LIBRARY_PATH=$$(echo $$rust/usr/lib/*-linux-gnu) \
		$$rust/usr/bin/cargo check --locked --workspace --exclude netext-book --all-features \
			--target-dir target/oldest-rust

book: ## Build the book as HTML in target/book.
	@$(call tool,mdbook,0.5.4,--no-default-features --features search)
	mdbook build docs
	@printf 'read %s/index.html\n' $(BOOK)

audit: ## Check the dependencies: licences, sources, bans.
	@$(call tool,cargo-deny,0.20.2)
	$(CARGO) deny --all-features check --hide-inclusion-graph bans licenses sources

fuzz: ## Fuzz everything that is parsed, each of the targets for FUZZ_SECONDS (12 minutes).
	@$(call tool,cargo-fuzz,0.13.2)
	@set -e; for crate in $(FUZZED); do for target in $$(cd $$crate && $(CARGO) fuzz list); do \
		printf '\n== %s: %s\n' "$$crate" "$$target"; mkdir -p $(GROWN)/$$target; \
		(cd $$crate && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --target-dir $(CURDIR)/target/fuzz "$$target" \
			$(GROWN)/$$target fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) $(FUZZ_LIMITS)); \
	done; done

packages: ## Install the Debian packages that these tasks need.
	@.ci/packages

clean: ## Remove all build results.
	$(CARGO) clean
