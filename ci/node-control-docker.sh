#!/bin/sh
# Node control by a script, for nodes that are containers of this machine's engine and bear the nodes' names:
#
#   plumb check --kubeconfig FILE --node-control exec:ci/node-control-docker.sh
#
# It is the worked example of conformance/cluster/NODECONTROL.md, which says what each word must do: take it as the start of your own, and put your
# hypervisor's commands in the place of docker's. FAULT_IMAGE is the helper that make image builds.
set -eu
verb=${1:?word} node=${2:?node}
shift 2
image=${FAULT_IMAGE:-plumb/fault:dev}

network() { docker run --rm --network "container:$node" --cap-add NET_ADMIN "$image" "$@"; }
processes() { docker run --rm --network none --pid "container:$node" --cap-add KILL --cap-add SYS_PTRACE "$image" "$@"; }
disk() {
  docker run --rm --network none --pid "container:$node" --security-opt apparmor=unconfined --cap-add KILL --cap-add SYS_PTRACE \
    --cap-add SYS_ADMIN --cap-add SYS_CHROOT "$image" "$@"
}
quiet() { "$@" >/dev/null; }

# address NAME: the address of a node, or of what stands before the apiservers.
address() {
  [ "$1" != balancer ] || { echo "${PLUMB_BALANCER:?}"; return; }
  for pair in ${PLUMB_NODES:?}; do
    [ "${pair%%=*}" != "$1" ] || { echo "${pair#*=}"; return; }
  done
  echo "$1 is no node" >&2
  return 2
}

# hardware ADDRESS: the hardware address of the container that has it.
hardware() {
  docker network inspect $(docker network ls -q) \
    --format '{{range .Containers}}{{.IPv4Address}} {{.MacAddress}}{{"\n"}}{{end}}' | sed -n "s|^$1/[0-9]* ||p" | head -1
}

# edges OTHER,WHICH...: the same as the helper wants them: NAME,MAC,ADDRESS.
edges() {
  for edge in "$@"; do
    other=${edge%,*} to=$(address "${edge%,*}") from=
    case ${edge##*,} in in | both) from=$(hardware "$to" | grep .) ;; esac
    case ${edge##*,} in in) to= ;; esac
    echo "$other,$from,$to"
  done
}

state() {
  set -- $(docker inspect --format '{{.State.Status}} {{.State.StartedAt}} {{.State.ExitCode}}' "$node")
  case $1 in
  running | paused) echo "$1 $2" ;;
  *) echo "stopped $2 $3" ;;
  esac
}

case $verb in
stop | start | pause | unpause | kill) quiet docker "$verb" "$node" ;;
state) state ;;
processes | signal) processes "$verb" "$@" ;;
cut)
  all=$(edges "$@") # a failure ends it here: an edge that is not known is not left out
  network cut $all
  ;;
mend) case $(state) in stopped*) ;; *) network mend ;; esac ;;
dropped | dial | fetch) network "$verb" "$@" ;;
fill | free | room) disk "$verb" "$@" ;;
logs) docker cp "$node:/var/log" - ;;
*)
  echo "$verb is not supported" >&2
  exit 3
  ;;
esac
