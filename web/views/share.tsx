/** What was measured, to be taken along: a file, or text for the clipboard. */
/// <reference lib="dom" />
import { useState } from "preact/hooks";
import type { Device } from "../../engine/device.ts";
import { type Machine, measuredDocument, type Measurements } from "../lab/measured.ts";
import { download } from "./hooks.ts";

/** What the browser tells of the machine: no processor's name. */
function machineOf({ hardwareConcurrency, platform, userAgent }: Navigator): Machine {
  return { processor: "", cores: hardwareConcurrency, os: platform, runtime: userAgent };
}

export function SharePart({ device, found }: { device: Device; found: Measurements }) {
  const [said, setSaid] = useState("");
  const nothing = found.checks.length + found.steps.length === 0 && !found.kernels;
  const text = () => {
    const document = measuredDocument(device, machineOf(navigator), found, new Date());
    return `${JSON.stringify(document, null, 2)}\n`;
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setSaid("Copied.");
    } catch {
      setSaid("The browser does not let the page copy: take the file.");
    }
  };
  return (
    <div class="panel">
      <h3>Share it</h3>
      <p>
        Browser, GPU and the numbers above, as JSON. Nothing is sent; a file from here and one of
        {" "}
        <code>deno task bench --json</code> are compared by <code>deno task bench:compare</code>.
      </p>
      <p class="actions">
        <button
          type="button"
          disabled={nothing}
          onClick={() => download("measured.json", text(), "application/json")}
        >
          Download measured.json
        </button>
        <button type="button" disabled={nothing} onClick={copy}>Copy</button>
        <span class="hint" role="status">{nothing ? "There is nothing measured yet." : said}</span>
      </p>
    </div>
  );
}
