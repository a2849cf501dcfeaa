/**
 * `deno task web`: serves the page that was built, to this machine alone, until it is ended. Its files are held in memory:
 * another build, which begins by removing them, leaves a page alone that is served already.
 */
import { extname, join } from "node:path";
import { object } from "@optique/core/constructs";
import { UserError } from "../../models/errors.ts";
import { filesBelow } from "../../models/host/files.ts";
import { runCommand } from "../shared/command.ts";
import { parseCommand, whole } from "../shared/flag_parser.ts";
import { type Output, standardOutput } from "../shared/terminal.ts";
import { siteFolder, types } from "./site.ts";

const command = "deno task web";

export const parser = object({
  port: whole("--port", "The port on localhost", "a free one", 1, 65_535),
});

/** The site's files by their names. */
export type Site = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Reads the files of a site, which are a few MB. */
export async function readSite(folder: string): Promise<Site> {
  const names = await filesBelow(folder);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await Deno.readFile(join(folder, name))] as const),
    ),
  );
}

/** Answers with a file of the site, by a path that names one. */
export function answer(request: Request, site: Site): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("GET alone is answered.", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const path = new URL(request.url).pathname;
  const name = path === "/" ? "index.html" : path.slice(1);
  const content = site.get(name);
  const type = types[extname(name).slice(1)];
  if (content === undefined || type === undefined) {
    return new Response("There is no such file.", { status: 404 });
  }
  const headers = { "content-type": type, "cache-control": "no-cache" };
  return new Response(request.method === "HEAD" ? null : content, { headers });
}

/** Listens on localhost. Throws a UserError where the port is taken. */
export function listen(port: number | undefined, site: Site, stdout: Output): Deno.HttpServer {
  try {
    return Deno.serve({
      hostname: "127.0.0.1",
      port: port ?? 0,
      onListen: (address) =>
        stdout.write(
          `PEFT in a tab: http://localhost:${address.port}/ (Ctrl-C ends it)\n`,
        ),
    }, (request) => answer(request, site));
  } catch (cause) {
    if (
      !(cause instanceof Deno.errors.AddrInUse || cause instanceof Deno.errors.PermissionDenied)
    ) {
      throw cause;
    }
    const why = cause instanceof Deno.errors.AddrInUse ? "is taken" : "cannot be had";
    throw new UserError(`Port ${port} ${why}. Name another with --port, or none.`, { cause });
  }
}

function main(args: readonly string[]): Promise<number> {
  const stdout = standardOutput("stdout");
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Builds the page that trains in a browser, and serves it to this machine alone.",
    examples: ["web", "web --port 8000"],
  });
  return runCommand(parsed, command, async ({ port }) => {
    await listen(port, await readSite(siteFolder), stdout).finished;
  }, { stdout });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
