#!/usr/bin/env bash
# Lets Terraform keep its state in S3 and know the variables of this installation; for workflows.
# wants TF_STATE_BUCKET and TF_STATE_KEY; TERRAFORM_VARIABLES (a JSON object) may be empty
set -euo pipefail
cd "$(dirname "$0")/../terraform"
: "${TF_STATE_BUCKET:?name the bucket of the state, bootstrap made it}" "${TF_STATE_KEY:?name the state in it}"
printf 'terraform {\n  backend "s3" {}\n}\n' > backend.tf
printf '%s\n' "${TERRAFORM_VARIABLES:-"{}"}" > github.auto.tfvars.json
terraform init -input=false -no-color \
  -backend-config="bucket=$TF_STATE_BUCKET" -backend-config="key=$TF_STATE_KEY" \
  -backend-config=use_lockfile=true -backend-config="region=${AWS_REGION:?}"
