#!/usr/bin/env bash
# Exchanges runs with PEFT, AdapterHub and transformers 4 and 5, in both directions, compares logits, and prints a
# table; exit code 1 where one differs by more than 1e-4.
#
#     test/interop/run.sh               exchange and compare
#     test/interop/run.sh --fixtures    and renew test/interop/fixtures by what Python saved
#
# Python's packages go into two environments below $INTEROP_FOLDER (~/.cache/peft-on-webgpu/interop), once; where
# INTEROP_HF and INTEROP_ADAPTERS name a python each, these are used instead, whatever versions they have.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${INTEROP_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/peft-on-webgpu/interop}

case "${1:-}" in
  "" | --fixtures) ;;
  *)
    sed -nE '2,/^[^#]/s/^# ?(.*)/\1/p' "$0"
    exit 2
    ;;
esac

# The python of an environment with the packages of a list, which is made where it is not there or the list changed.
environment() {
  local venv=$folder/$1 requirements=$here/requirements-$1.txt
  if ! cmp -s "$requirements" "$venv/made-with.txt"; then
    echo "Making $venv …" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --requirement "$requirements" >&2
    cp "$requirements" "$venv/made-with.txt"
  fi
  echo "$venv/bin/python"
}

# Runs a step, and shows what it said only where it fails.
step() {
  local log=$folder/step.log
  echo "$*" | sed "s|$folder/||g; s|$here/||g" >&2
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
}

mkdir -p "$folder"
hf=${INTEROP_HF:-$(environment hf)}
ah=${INTEROP_ADAPTERS:-$(environment adapters)}
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
theirs=$folder/theirs ours=$folder/ours rows=$folder/rows
rm -rf "$theirs" "$ours" "$rows"
mkdir -p "$theirs" "$ours" "$rows"
step "$hf" "$here/make_hf.py" "$theirs"
step "$ah" "$here/make_adapters.py" "$theirs"
step "$root/denow" run --no-check -A "$here/exchange.ts" "$theirs" "$ours" "$rows/1.json"
step "$hf" "$here/check_hf.py" "$ours" "$rows/2.json"
step "$ah" "$here/check_adapters.py" "$ours" "$rows/3.json"
if [ "${1:-}" = --fixtures ]; then
  rm -rf "$here/fixtures"
  cp -R "$theirs" "$here/fixtures"
fi
exec "$root/denow" run -q --no-check --allow-read --allow-env "$here/table.ts" "$rows"/*.json
