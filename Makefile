# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
.PHONY: help test demo zones bench unit zone interop integration sanity lint artifact importer docs release mutation clean

PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)

help: ## Show what there is to run
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

test: ## Run everything that CI runs
demo: ## See an image rolled out to three zones on this machine, promoted, rolled back and reported
zones: ## Start three zones on this machine, with an image and an inventory, to try things out
bench: ## Measure pushes against today's skopeo, crane and oras, and write docs/benchmarks.md; leave the machine alone meanwhile
unit: ## Run the unit tests on every version of ansible-core
zone: ## Run the tests against local zones on the oldest and the newest ansible-core
interop: ## Compare with skopeo, podman and buildah, and look at the report in Chromium
integration: ## Run ansible-test integration, as collections of other people do
sanity: ## Run ansible-test sanity
lint: ## Run the linters, the type checker and the documentation checks
artifact: ## Build the collection, install it into an empty path and run the demo from there
importer: ## See what Galaxy would say of the collection, before a release
docs: ## Build the documentation as a site, without network, and check every reference between its pages
release: ## Make what is published of a version, in .build/release; publishes nothing
mutation: ## Break important lines one by one, see the unit tests fail, and write the score to docs/reliability.md

test demo zones bench unit zone interop integration sanity lint artifact importer docs release mutation:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -m tests.setup $@

clean: ## Remove everything that was generated
	rm -rf .build .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
