#!/bin/sh
# A sweep as a Slurm job array: a task for each run. `deno task sweep --launcher slurm` fills in the five lines that are
# marked "filled in", writes the result into the sweep's folder, and submits it. As it stands here it is what this wrote:
#
#     ./denow task sweep --methods lora --ranks 4,8 --seeds 1,2 --model_name mini --use_sample \
#         --experiment example --launcher slurm
#
# CHANGE in a copy, and give that to --template: time, memory, GPUs, partition, account. The project's folder and that of
# results must be shared by the nodes.

# filled in
#SBATCH --job-name=example
# filled in
#SBATCH --array=0-3
# filled in
#SBATCH --output=/srv/peft/results/example/output/%a.txt

# CHANGE: what a task gets.
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --gpus=1
# CHANGE: where it may run, where your cluster asks for that.
##SBATCH --partition=gpu
##SBATCH --account=mine

# A task whose node fails begins again; two minutes before its time is up it is told, and goes on in a new turn.
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append

# filled in
cd /srv/peft || exit
# filled in
set -- --output_dir results --experiment example --methods lora --ranks 4,8 --seeds 1,2 --model_name mini --use_sample

./denow task -q sweep:task --task "$SLURM_ARRAY_TASK_ID" "$@" &
task=$!
again=
trap 'again=yes; kill -TERM "$task"' USR1
trap 'kill -TERM "$task"' TERM INT
code=0
wait "$task" || code=$?
while kill -0 "$task" 2>/dev/null; do # a signal ended the wait, not the task
  code=0
  wait "$task" || code=$?
done
# 143: it has written a checkpoint.
if [ "$again" ] && [ "$code" -eq 143 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
