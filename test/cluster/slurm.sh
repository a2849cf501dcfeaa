#!/bin/sh
# A sweep through a real Slurm, on one Debian machine and as root: sh test/cluster/slurm.sh
#
#     apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
#
# One controller and two daemons run from a temporary folder, with ports of their own. A sweep of four tasks is submitted; one
# task is killed, one is told that its time is up; submitted again, the sweep goes on, and the report compares four runs.
# Takes some minutes; all daemons are ended and the folder is removed, whatever happens.
set -eu
cd "$(dirname "$0")/../.."
export NO_COLOR=1

work=$(mktemp -d /tmp/peft-slurm.XXXXXX)
chmod 755 "$work"
pids=
host=$(hostname -s)

say() {
  printf '== %s\n' "$*"
}

fail() {
  say "failed: $*"
  for log in "$work"/*.log; do
    printf -- '-- %s\n' "$log"
    tail -n 15 "$log"
  done
  exit 1
}

tear_down() {
  scancel --user=root >/dev/null 2>&1 || true
  sleep 2
  # shellcheck disable=SC2086 # a list of words
  [ -z "$pids" ] || kill $pids 2>/dev/null || true
  sleep 1
  rm -rf "$work"
}
trap tear_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits, for at most $1 seconds, until the rest of the line succeeds.
until_true() {
  seconds=$1
  shift
  while ! "$@" >/dev/null 2>&1; do
    seconds=$((seconds - 1))
    [ "$seconds" -gt 0 ] || return 1
    sleep 1
  done
}

start() {
  log=$work/$1.log
  shift
  "$@" >"$log" 2>&1 &
  pids="$pids $!"
}

say "munge, a controller and two nodes in $work"
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 400 "$work/munge.key"
start munged munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" \
  --pid-file="$work/munged.pid" --log-file="$work/munge.log" --seed-file="$work/munge.seed"
mkdir "$work/state" "$work/node1" "$work/node2"
cat >"$work/slurm.conf" <<END
ClusterName=sweep
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
AuthInfo=socket=$work/munge.socket,cred_expire=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
MailProg=/bin/true
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/%n.pid
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=16821 CPUs=1 RealMemory=1000
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=16822 CPUs=1 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES State=UP
END
echo CgroupPlugin=cgroup/v1 >"$work/cgroup.conf"
export SLURM_CONF="$work/slurm.conf"
until_true 10 test -S "$work/munge.socket" || fail "munged does not run"
start slurmctld slurmctld -D
until_true 20 scontrol ping || fail "slurmctld does not run"
start node1 slurmd -D -N node1
start node2 slurmd -D -N node2
both_idle() { [ "$(sinfo --noheader --states=idle --format=%D)" = 2 ]; }
until_true 30 both_idle || fail "the nodes do not come up"
sinfo

# A copy of the template, as a user makes one: this cluster has no GPUs and one core a node.
sed -e '/^#SBATCH --gpus/d' -e '/^#SBATCH --mem/d' -e 's/--cpus-per-task=4/--cpus-per-task=1/' \
  -e 's/--time=04:00:00/--time=00:20:00/' deploy/slurm.sh >"$work/mine.sh"

folder=$work/results/array
submit() {
  ./denow task -q sweep --methods lora --ranks 4,8 --seeds 1,2 --model_name mini --use_sample --max_steps 60 \
    --checkpoint_steps 5 --max_samples 400 --output_dir "$work/results" --experiment array --launcher slurm \
    --template "$work/mine.sh"
}

has_checkpoint() { ls -d "$folder/tasks/$1/$1"/step-*; }
is_done() { [ -f "$folder/$1/run.json" ]; }
is_empty() { [ -z "$(squeue --noheader)" ]; }

say "the sweep, submitted"
submit
until_true 120 has_checkpoint lora-r4-s1 || fail "lora-r4-s1 writes no checkpoint"
until_true 120 has_checkpoint lora-r8-s1 || fail "lora-r8-s1 writes no checkpoint"
squeue

read -r _ pid _ <"$folder/tasks/lora-r4-s1.claim-1"
say "SIGKILL for lora-r4-s1, process $pid"
kill -KILL "$pid"
job=$(squeue --noheader --format=%F | head -n 1)
say "its time is up for lora-r8-s1: SIGUSR1, as two minutes before the end"
timeout 3 scancel --batch --signal=USR1 "${job}_1" || true # else it says so again to the next turn

say "until the array has ended"
until_true 400 is_empty || fail "the array does not end"
is_done lora-r4-s1 && fail "lora-r4-s1 was killed, and is done"
for run in lora-r8-s1 lora-r4-s2 lora-r8-s2; do is_done "$run" || fail "$run is not done"; done
grep -q 'lora-r8-s1 is kept as of step' "$folder/output/1.txt" || fail "lora-r8-s1 was not stopped"

say "the report of what is done"
./denow task -q report "$folder"

say "the same sweep again"
submit
until_true 200 is_empty || fail "the second array does not end"
is_done lora-r4-s1 || fail "lora-r4-s1 is not done"
for run in lora-r4-s1 lora-r8-s1; do
  sed -n '/"resumed_at_steps"/,/]/p' "$folder/$run/run.json" | grep -q '[0-9]' || fail "$run did not go on, but began again"
done

say "a third time"
submit

say "the report"
./denow task -q report "$folder" | tee "$work/report.txt"
grep -q ' 4 runs' "$work/report.txt" || fail "the report has not four runs"
cat "$folder/comparison.md"
for run in lora-r4-s1 lora-r8-s1; do
  printf '%s went on at step' "$run"
  sed -n '/"resumed_at_steps"/,/]/p' "$folder/$run/run.json" | tr -dc '0-9, ' && echo
done
say "passed"
