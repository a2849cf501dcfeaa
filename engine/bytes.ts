/** A count of bytes for people, in powers of 1000: `12 B`, `437 kB`, `94.1 MB`, `2.1 GB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, suffix] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const) {
    if (bytes < unit * 0.9995) continue; // 999.6 kB would read 1000 kB
    const scaled = bytes / unit;
    return `${scaled.toFixed(scaled < 99.95 ? 1 : 0)} ${suffix}`;
  }
  return `${bytes} B`;
}
