# What the workflows in .github/workflows use, and what checks them.
ACTIONLINT_VERSION := v1.7.12

# Built from source: Go's proxy checks what it gives against a log of checksums.
.tools/actionlint-$(ACTIONLINT_VERSION):
	@command -v go >/dev/null || { echo "Go is missing: actionlint is built with it."; exit 2; }
	@mkdir -p .tools && GOBIN=$(CURDIR)/.tools GOFLAGS= go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@mv .tools/actionlint $@

.PHONY: actions-check
actions-check: .tools/actionlint-$(ACTIONLINT_VERSION) ## Check the workflows of GitHub (wants Go)
	@$< -color

# boto3 and nothing else: what runs with rights on an installation should be little.
.venv-deploy/stamp: requirements/deploy.txt requirements/installer.txt
	@$(PYTHON) -m venv .venv-deploy
	@.venv-deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/deploy.txt
	@touch $@

# The command line of AWS: tests type the guide's commands with it.
.venv-aws/stamp: requirements/aws.txt $(VENV)/runtime.stamp
	@$(PYTHON) -m venv .venv-aws
	@$(UV) pip install --quiet --python .venv-aws/bin/python --require-hashes -r requirements/aws.txt
	@touch $@

test test-long: .venv-aws/stamp

.PHONY: aws-rehearsal
aws-rehearsal: .venv-aws/stamp $(VENV)/dev.stamp ## Type the guide's AWS commands against a stand-in; writes docs/operations/aws-rehearsal.md
	@$(BIN)/python -m tests.integration.aws.rehearsal docs/operations/aws-rehearsal.md

.PHONY: clean-pipelines
clean-pipelines:
	@rm -rf .venv-aws .venv-deploy .tools
clean: clean-pipelines
