#!/bin/sh
# Everything that is measured on a machine with a GPU, in one command: what the adapter offers, the kernel
# tests, PyTorch where there is one, kernels and training steps, by Deno's WebGPU and, where `deno task dawn` has
# fetched it, by Dawn, which has matrix units. Tables go to the terminal, one JSON document to OUT. Needs Deno and
# nothing else: no package, no network.
#
#   bench/gpu.sh [--quick] [OUT]      OUT: bench/results/gpu.json
#
#   DENO     the Deno to use          deno on the PATH, else ./denow
#   PYTHON   the Python to ask        python3; its torch, transformers and peft are used where it has them
set -u
cd "$(dirname "$0")/.." || exit 1

quick=
if [ "${1:-}" = --quick ]; then
  quick=--quick
  shift
fi
out=${1:-bench/results/gpu.json}
python=${PYTHON:-python3}
if [ -z "${DENO:-}" ]; then
  if command -v deno >/dev/null 2>&1; then DENO=deno; else DENO=./denow; fi
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
attachments=

attach() { attachments="$attachments $1=$work/$1.json"; }
run() { "$DENO" run -q -P=bench --no-prompt --no-npm --no-remote "$@"; }

# Runs a Python script; what fails is said and left out.
torch() {
  name=$1
  shift
  echo "== $*"
  if "$python" "$@" >"$work/$name.json" 2>"$work/errors"; then
    attach "$name"
    grep -E '"(method|precision|milliseconds|shape|torch)"' "$work/$name.json"
  else
    tail -n 3 "$work/errors"
  fi
}

echo "== the adapter"
run bench/probe.ts || exit 1

echo "== the kernel tests"
# A task fetches the project's packages first, needed or not, unless node_modules is left to the user.
NO_COLOR=1 "$DENO" task --node-modules-dir=manual test:gpu >"$work/tests.json" 2>&1
tests=$?
grep -avE '\.\.\. ok|^running|^$' "$work/tests.json" | tail -n 40
attach tests

# shellcheck disable=SC2086 # lists of words, here and below
# Dawn, a package itself, does not load with --no-npm.
on_dawn() { "$DENO" run -q -P=bench --no-prompt --no-remote $native "$@" --backend=dawn; }

native=$("$DENO" run -q -P=grants cli/grants.ts ffi)
echo "== Dawn"
if on_dawn bench/probe.ts; then
  echo "== the kernel tests on Dawn"
  NO_COLOR=1 "$DENO" test -q -P=test --no-check --no-remote $native \
    --preload test/dawn/preload.ts test/engine/ >"$work/dawn_tests.json" 2>&1 || tests=1
  grep -avE '\.\.\. ok|^running|^$' "$work/dawn_tests.json" | tail -n 40
  attach dawn_tests
  echo "== kernels and training steps on Dawn"
  if on_dawn bench/gpu.ts $quick >"$work/dawn.json"; then
    attach dawn
  else
    tests=1
  fi
fi

if [ -z "$quick" ] && "$python" -c 'import torch, transformers, peft' 2>/dev/null; then
  steps=bench/peers/torch_step.py
  all='--methods full,lora,adapter'
  if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    for precision in fp32 tf32 bf16; do
      torch "torch_${precision}_512" $steps $all --precision $precision
      torch "torch_${precision}_longest" $steps $all --precision $precision --padding longest
      torch "torch_matmul_$precision" bench/peers/torch_matmul.py --precision $precision
    done
    torch torch_compiled $steps --methods lora --compile --warmup 3
    torch torch_compiled_bf16 $steps --methods lora --compile --warmup 3 --precision bf16
  else
    torch torch_fp32_512 $steps --warmup 0 --steps 1 --blocks 1
    torch torch_fp32_longest $steps --padding longest --steps 1
    torch torch_matmul_fp32 bench/peers/torch_matmul.py --shapes 1024x1024x1024
  fi
else
  echo "== PyTorch: left out"
fi

echo "== kernels and training steps"
# shellcheck disable=SC2086
run --allow-read bench/gpu.ts $quick $attachments >"$work/all.json" || exit 1
mkdir -p "$(dirname "$out")" && mv "$work/all.json" "$out" || exit 1
echo "Written: $out"
exit $tests
