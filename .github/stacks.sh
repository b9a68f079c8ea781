#!/usr/bin/env bash
# Finds the stacks to run $COMMAND on: those that have an environment in the repository's settings, and for a deployment one
# that somebody has to approve. Says which are left out, and why. A job that names an environment which does not exist would
# make it, without any protection.
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
