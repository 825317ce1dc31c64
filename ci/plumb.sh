#!/bin/sh
# plumb.sh runs the conformance suite in CI: any shell, any CI system. Its exit code is the verdict's, and the report is kept whatever it is.
#
#   KUBECONFIG=~/.kube/config PROFILE=api ci/plumb.sh           # one profile on a cluster of yours
#   CONFIG=kind-configs/ha.yaml SHARD=2/3 ci/plumb.sh           # a third of everything on a cluster that is booted for it
#   ci/plumb.sh merge --same-shape shard-1 shard-2 shard-3                   # one verdict of all thirds
#
# Environment (all optional but one of KUBECONFIG and CONFIG):
#   KUBECONFIG    the cluster to judge
#   CONFIG        a cluster shape in kind's format: a cluster of NODE_IMAGE is booted for this run (Docker Engine)
#   NODE_IMAGE    its node image: any that obeys the node contract (default: the one that make image builds)
#   PROFILE       profiles, comma-separated (default: all)
#   SHARD         i/n: run only the i-th of n parts
#   IMAGES        repository that the fixture images are pulled from (see plumb images push)
#   NODE_CONTROL  how nodes of KUBECONFIG are broken: docker, or exec:SCRIPT
#   REPORT_DIR    where the report goes (default: plumb-report); it is also packed as REPORT_DIR.tar.gz
#   PLUMB         the program (default: plumb on the PATH)
#
# Exit codes: 0 conformant, or all of the shard passed; 1 something failed; 2 a bad flag or file; 3 inconclusive; 4 engine, boot or
# clean-up failed; 130 interrupted.
set -u
PLUMB=${PLUMB:-plumb}
REPORT_DIR=${REPORT_DIR:-plumb-report}

stop() { echo "plumb.sh: $1" >&2; exit 2; }

command -v "$PLUMB" >/dev/null || stop "$PLUMB is not there: go install github.com/plumb-k8s/plumb/conformance/cmd/plumb@latest, or set PLUMB"

keep() { # pack the report, whatever the verdict
    [ -d "$REPORT_DIR" ] && tar -czf "$REPORT_DIR.tar.gz" -C "$(dirname "$REPORT_DIR")" "$(basename "$REPORT_DIR")"
}

if [ "${1:-}" = merge ]; then
    shift
    [ $# -gt 0 ] || stop "merge: name the folders of the shards' reports"
    "$PLUMB" merge --report-dir "$REPORT_DIR" "$@"
    code=$?
    keep
    exit "$code"
fi
[ $# -eq 0 ] || stop "$1: what is this? Settings are environment variables: see the top of this file"

if [ -n "${CONFIG:-}" ]; then
    set -- --config "$CONFIG"
    [ -z "${NODE_IMAGE:-}" ] || set -- "$@" --image "$NODE_IMAGE"
elif [ -n "${KUBECONFIG:-}" ]; then
    set -- --kubeconfig "$KUBECONFIG"
    [ -z "${NODE_CONTROL:-}" ] || set -- "$@" --node-control "$NODE_CONTROL"
else
    stop "set KUBECONFIG, the cluster to judge, or CONFIG, the shape of one to boot"
fi
[ -z "${PROFILE:-}" ] || set -- "$@" --profile "$PROFILE"
[ -z "${SHARD:-}" ] || set -- "$@" --shard "$SHARD"
[ -z "${IMAGES:-}" ] || set -- "$@" --image-repository "$IMAGES"

"$PLUMB" check "$@" --report-dir "$REPORT_DIR"
code=$?
keep
exit "$code"
