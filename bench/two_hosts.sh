#!/bin/sh
# Runs a command as two ranks on two hosts that this machine plays, with a network of a given rate between them:
#
#     sh bench/two_hosts.sh 100mbit ./denow task bench:mpi --reduction
#
# Two network namespaces joined by a pair of veth, each end limited by a token bucket (tc-tbf), and a host name of
# each its own. Takes root, iproute2 and Open MPI. Latency is the machine's own: some tens of microseconds.
set -eu
rate=$1
shift

agent=$(mktemp)
end() {
  ip netns del peft-a 2>/dev/null || true # the pair of veth goes with it
  ip netns del peft-b 2>/dev/null || true
  rm -f "$agent"
}
trap end EXIT
trap 'exit 130' INT TERM

ip netns add peft-a
ip netns add peft-b
ip link add veth-a netns peft-a type veth peer name veth-b netns peft-b
for side in a b; do
  case $side in a) address=10.77.0.1 ;; b) address=10.77.0.2 ;; esac
  ip -n peft-$side address add $address/24 dev veth-$side
  ip -n peft-$side link set lo up
  ip -n peft-$side link set veth-$side up
  # A bucket of 256 kB: a packet of the kernel's, before it is cut, has 64 kB.
  [ "$rate" = unlimited ] ||
    tc -n peft-$side qdisc add dev veth-$side root tbf rate "$rate" burst 256kb latency 50ms
done

# In the place of ssh: HOST COMMAND…
cat >"$agent" <<'AGENT'
#!/bin/sh
shift
exec ip netns exec peft-b unshare --uts sh -c 'hostname peft-b; eval "$0"' "$*"
AGENT
chmod +x "$agent"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun=$(command -v mpirun.openmpi || command -v mpirun)
ip netns exec peft-a unshare --uts sh -c 'hostname peft-a; exec "$@"' sh \
  "$mpirun" --host 10.77.0.1:1,10.77.0.2:1 -n 2 --mca plm_rsh_agent "$agent" \
  --mca oob_tcp_if_include 10.77.0.0/24 --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
  -x PATH -x HOME "$@"
