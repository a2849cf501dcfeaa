#!/bin/sh
# What GPUs' compilers make of the kernels, on a machine without a GPU: Mesa's RADV compiles for an AMD GPU that is
# only named. Prints a table in Markdown: for each group of kernels the most registers (VGPRs), the most of them that
# were spilled to memory, and the fewest subgroups that fit a SIMD.
#
#   deno task bench:static [FAMILY…]
#
#   FAMILY is GFX1100 (RDNA 3, RX 7900), NAVI21 (RDNA 2, RX 6800), POLARIS10 (GCN 4, RX 480); all three unless given
#
# Needs a C compiler, libvulkan-dev, mesa-vulkan-drivers, and naga (cargo install naga-cli --version ^29), the compiler
# of Deno's WebGPU, which is asked for the bounds checks that WebGPU has it make.
#
#   DENO   the Deno to use         deno on the PATH, else ./denow
#   NAGA   the naga to use         naga on the PATH
#   ICD    RADV's description      /usr/share/vulkan/icd.d/radeon_icd*.json
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- GFX1100 NAVI21 POLARIS10
if [ -z "${DENO:-}" ]; then
  if command -v deno >/dev/null 2>&1; then DENO=deno; else DENO=./denow; fi
fi
icd=${ICD:-$(ls /usr/share/vulkan/icd.d/radeon_icd*.json | head -n 1)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

cc -O1 -o "$work/driver_stats" bench/driver_stats.c -lvulkan
"$DENO" run -q --no-prompt --allow-write="$work" bench/static.ts "$work" >&2
while IFS='	' read -r file group entry overrides; do
  set_overrides=
  for each in $(echo "$overrides" | tr , ' '); do set_overrides="$set_overrides --override $each"; done
  # shellcheck disable=SC2086
  "${NAGA:-naga}" --index-bounds-check-policy Restrict --buffer-bounds-check-policy Unchecked \
    --entry-point "$entry" $set_overrides "$work/$file" "$work/$file.spv" >/dev/null
  uniforms=$(sed -n 's/.*@binding(\([0-9]*\)) var<uniform>.*/\1/p' "$work/$file" | awk '{ bits += 2 ^ $1 } END { print bits + 0 }')
  printf '%s\t%s\t%s\t%s\n' "$group" "$entry" "$uniforms" "$work/$file.spv"
done <"$work/list.tsv" >"$work/shaders"

export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$work}" VK_ICD_FILENAMES="$icd" VK_DRIVER_FILES="$icd" MESA_SHADER_CACHE_DISABLE=true
for family in "$@"; do
  RADV_FORCE_FAMILY=$family "$work/driver_stats" <"$work/shaders" >"$work/$family" &
done
wait
for family in "$@"; do
  sed "s/^/$family	/" "$work/$family"
done >"$work/statistics"

awk -F'\t' -v families="$*" '
  {
    key = $2 SUBSEP $1
    if (!($2 in seen)) { seen[$2] = 1; groups[++count] = $2 }
    for (i = 3; i <= NF; i++) { split($i, part, "="); value[part[1]] = part[2] }
    registers = value["VGPRs"]; spilled = value["Spilled VGPRs"]; subgroups = value["Subgroups per SIMD"]
    if (!(key in most)) fewest[key] = subgroups
    if (registers > most[key]) most[key] = registers
    if (spilled > spills[key]) spills[key] = spilled
    if (subgroups < fewest[key]) fewest[key] = subgroups
  }
  END {
    n = split(families, names, " ")
    line = "| Kernels |"; rule = "| --- |"
    for (f = 1; f <= n; f++) { line = line " " names[f] " |"; rule = rule " ---: |" }
    print line; print rule
    for (g = 1; g <= count; g++) {
      line = "| " groups[g] " |"
      for (f = 1; f <= n; f++) {
        key = groups[g] SUBSEP names[f]
        line = line " " most[key] ", " (spills[key] + 0 ? "**" spills[key] " spilled**" : 0) ", " fewest[key] " |"
      }
      print line
    }
  }' "$work/statistics"
