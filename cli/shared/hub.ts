/** The hub as the environment says, with what is heard of it while it is waited for. */
import type { DownloadProgress } from "../../models/host/download.ts";
import { type HubSettings, hubSettingsFromEnvironment } from "../../models/host/settings.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { harmless, type Output } from "./terminal.ts";

/** Bytes below which a download is over before a line is read. */
const large = 5e6;

/** One line at a width: bytes, then rate and time left, then the file's name, as far as they fit. */
export function renderDownload(progress: DownloadProgress, width: number): string {
  const { path, done, total, bytesPerSecond } = progress;
  const left = bytesPerSecond > 0 ? formatDuration((total - done) / bytesPerSecond) : "?";
  const parts = [
    `${Math.floor(100 * done / total)} % of ${formatBytes(total)}`,
    `${formatBytes(Math.round(bytesPerSecond))}/s`,
    `${left} left`,
    harmless(path),
  ];
  const line = parts.reduce((line, part) =>
    line.length + 2 + part.length <= width ? `${line}  ${part}` : line
  );
  return line.slice(0, width);
}

/** Settings that tell a terminal of downloads and waits; a pipe gets the sentences alone. */
export function hubSettings(output: Output): HubSettings {
  const clear = output.terminal ? "\r\x1b[K" : "";
  return {
    ...hubSettingsFromEnvironment(),
    report: (message) => output.write(`${clear}${harmless(message)}\n`),
    progress: (progress) => {
      const { done, total } = progress;
      if (!output.terminal || total < large) return;
      const line = done < total ? renderDownload(progress, output.columns() - 1) : "";
      output.write(`${clear}${line}`);
    },
  };
}
