/** The page, built in a folder and served on localhost, for tests. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { buildSite } from "../../cli/web/build.ts";
import { answer, readSite } from "../../cli/web/serve.ts";
import { runProgram } from "../cli/command.ts";

const entry = fileURLToPath(new URL("../../web/main.tsx", import.meta.url));

/** Builds it as the tasks do. */
export async function build(folder: string): Promise<void> {
  const options = ["-q", "--platform", "browser", "--minify", "--code-splitting"];
  const args = ["bundle", ...options, "--outdir", folder, entry];
  const { code, stderr } = await runProgram(Deno.execPath(), args);
  assert.equal(code, 0, stderr);
  await buildSite({ code: folder });
}

/** Serves a built page while something uses its address. */
export async function serving(folder: string, use: (url: string) => Promise<void>): Promise<void> {
  const site = await readSite(folder);
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(options, (request) => answer(request, site));
  try {
    await use(`http://localhost:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
}
