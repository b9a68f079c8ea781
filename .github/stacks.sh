#!/usr/bin/env bash
# Finds the stacks to run $COMMAND on: those that have an environment in the repository's settings. For a deployment, the environment
# must require an approval. The summary says which stacks are left out, and why. They have to be left out, because GitHub creates an
# environment that a job names and that does not exist, without any protection.
set -euo pipefail

if [[ $COMMAND == up ]]; then
    suffix=""
    wanted='.environments[] | select(any(.protection_rules[]; .type == "required_reviewers")) | .name'
    missing="with required reviewers"
else
    suffix="-preview"
    wanted='.environments[].name'
    missing="with credentials"
fi
environments=$(gh api --paginate "repos/$GITHUB_REPOSITORY/environments?per_page=100" --jq "$wanted")

found=()
for file in Pulumi.*.yaml; do
    stack=${file#Pulumi.}
    stack=${stack%.yaml}
    if grep -qxF -- "$stack$suffix" <<<"$environments"; then
        found+=("\"$stack\"")
    else
        echo "- $stack: left out, since there is no environment \`$stack$suffix\` $missing (docs/ci.md)."
    fi
done >>"$GITHUB_STEP_SUMMARY"
IFS=,
echo "stacks=[${found[*]}]" >>"$GITHUB_OUTPUT"
