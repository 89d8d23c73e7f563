# Everything that is done with this repository by hand or by CI. `make` alone lists it.
#
# On a fresh Debian 12 with a Rust toolchain `make demo` and `make test` need nothing else: what they use is
# installed by .ci/packages. Network namespaces take root; where make runs as somebody else, cargo builds as
# that user and only what was built runs under sudo.

SHELL := /bin/bash
CARGO ?= cargo
ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH)
# Debian keeps ip, nft and conntrack where only root's PATH leads.
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
# Scenarios of one host that are played again with every command carried over SSH; but for those that count the
# host's processes, which has sshd then, and those that reconcile a host by hand.
OVER_SSH := lifecycle port_forward static_nat source_nat restart firewall vpc balancer guest_services \
	absent_fields nic_identity readme_life second_range \
	--skip leaves_nothing --skip a_rebooted_host
# How long `make fuzz` looks for trouble, in seconds.
FUZZ_SECONDS ?= 60
# More arguments for the programs behind `make demo` and `make bench`, such as BENCH="--quick --json".
DEMO ?=
BENCH ?=

.DEFAULT_GOAL := help
.PHONY: help demo test python generators python-types tool machine-test bench lint schemas schemas-check audit fuzz packages clean

help: # List what can be made.
	@printf 'netext: network extensions for Apache CloudStack\n\n'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: packages ## Play the life of a network on throwaway namespaces, with the packets that prove it.
	@$(CARGO) build --quiet --package netext-namespace --package netext-lab --bins
	@$(ROOT) target/debug/demo --exec target/debug/netext-namespace $(DEMO)

test: packages ## Run all tests, doc examples included; tests of the packet path use real namespaces.
	$(CARGO) test --workspace --all-features
	NETEXT_LAB=fleet $(CARGO) test --workspace --all-features --test networks -- $(OVER_SSH)
	@$(MAKE) --no-print-directory python generators

python: tool ## Run the part of test that is the example in Python: its tests, its conformance.
	export PATH="$(CURDIR)/target/debug:$$PATH" && cd examples/python && \
		../../.ci/clean-machine python3 -m unittest discover -t . -s tests
	export PATH="$(CURDIR)/target/debug:$$PATH" && .ci/clean-machine \
		sh -c 'NETEXT_MINIMAL_FOLDER=$$(mktemp -d) netext conformance --exec examples/python/minimal.sh'

generators: packages tool ## Run the part of test that tries code generators on the strict schemas (about a minute).
	netext-protocol/generators/check.py target/debug/netext

python-types: packages ## Write the types of the example in Python: after a change of the schemas.
	netext-protocol/generators/check.py --write-example

tool:
	@$(CARGO) build --quiet --package netext-tool

machine-test: packages ## Run the part of test that boots a KVM host with a kernel of its own.
	$(CARGO) test --package netext-namespace --test machine

bench: packages ## Measure commands and packet path against a floor of the same run (about 8 minutes).
	@$(CARGO) build --quiet --release --package netext-namespace --package netext-lab --package netext-example-minimal --bins
	@$(ROOT) target/release/bench --exec $(EXECUTABLE) $(BENCH)

lint: packages ## Check formatting, lints and documentation; warnings are errors.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --all-features --no-deps --document-private-items

schemas: ## Write what the types say: docs/schemas, and the book's command reference.
	$(NETEXT) schema --out $(SCHEMAS)
	$(NETEXT) schema --format markdown --out $(REFERENCE)

schemas-check: ## Fail if these are not what the types say.
	$(NETEXT) schema --check $(SCHEMAS)
	$(NETEXT) schema --format markdown --check $(REFERENCE)

book: ## Make the book as HTML in target/book (installs mdbook if it is absent, about 2 minutes).
	@command -v mdbook >/dev/null || $(CARGO) install --locked --no-default-features --features search mdbook
	mdbook build docs
	@printf 'read %s/index.html\n' $(BOOK)

audit: ## Check dependencies: licences, sources, bans (installs cargo-deny if it is absent).
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --all-features check bans licenses sources

fuzz: ## Feed the payload parser with nonsense for a minute (installs cargo-fuzz if it is absent).
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	cd netext-protocol && for target in $$($(CARGO) fuzz list); do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) || exit; \
	done

packages: ## Install the Debian packages that building, tests, demo and bench need.
	@.ci/packages

clean: ## Remove what was built.
	$(CARGO) clean
