/** Chromium without a window, where there is one: a page is opened, and what it does is watched by its DevTools protocol. */
import { join } from "node:path";
import { startProgram } from "../cli/command.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The program that CHROMIUM names, or one on the PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const asked = Deno.env.get("CHROMIUM");
  if (asked) return asked;
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

type Fields = Record<string, unknown>;
interface Message {
  id?: number;
  method?: string;
  params?: Fields;
  result?: Fields;
  error?: { message: string };
}

export interface Page {
  /** Asks for something of the protocol. */
  send(method: string, params?: Fields): Promise<Fields>;
  open(url: string): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Answers requests whose addresses begin so, in the place of whom they are for. */
  route(start: string, answer: (url: string) => Promise<Response>): Promise<void>;
  /** What the page did that a good one does not: errors, messages, dialogs. */
  complaints: string[];
  /** Addresses that it asked for. */
  requests: string[];
}

async function until<Value>(what: () => Promise<Value | undefined>): Promise<Value> {
  for (let waits = 0; waits < 3000; waits++) {
    const value = await what();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("Chromium does not answer.");
}

/** What a page needs that computes: SwiftShader, Chromium's adapter on the processor, is always there. */
export const withWebgpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Starts Chromium with its data in `folder`, and ends it after `use`. */
export async function withChromium(
  program: string,
  folder: string,
  use: (page: Page) => Promise<void>,
  flags: readonly string[] = ["--disable-gpu"],
): Promise<void> {
  const { process, ended } = startProgram(program, [
    ...["--headless=new", "--no-sandbox", "--no-first-run", "about:blank", ...flags],
    ...[
      "--disable-background-networking",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
    ],
  ]);
  try {
    const [port, path] = await until(async () => {
      const text = await Deno.readTextFile(join(folder, "DevToolsActivePort")).catch(() => "");
      return text.includes("\n") ? text.split("\n") : undefined;
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Chromium's protocol cannot be reached."));
    });
    await use(await attach(socket));
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
  } finally {
    process.kill("SIGTERM"); // its own processes end with it
    await ended();
  }
}

async function attach(socket: WebSocket): Promise<Page> {
  const waiting = new Map<number, (message: Message) => void>();
  const complaints: string[] = [];
  const requests: string[] = [];
  let loaded = () => {};
  let answerer: ((url: string) => Promise<Response>) | undefined;
  /** The page, once there is one. */
  const target: { sessionId?: unknown } = {};
  socket.onmessage = ({ data }) => {
    const message: Message = JSON.parse(data);
    if (message.id !== undefined) return waiting.get(message.id)?.(message);
    const { method = "", params = {} } = message;
    if (method === "Page.loadEventFired") loaded();
    if (method === "Network.requestWillBeSent") {
      requests.push((params.request as { url: string }).url);
    }
    if (method === "Fetch.requestPaused") void fulfil(params);
    const bad = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
    if ([...bad, "Page.javascriptDialogOpening"].includes(method)) {
      complaints.push(`${method}: ${JSON.stringify(params)}`);
    }
  };
  const send = (method: string, params: Fields = {}) =>
    new Promise<Fields>((resolve, reject) => {
      const id = waiting.size;
      waiting.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
      socket.send(JSON.stringify({ id, method, params, ...target }));
    });
  /** Answers a request that is held; where there is no answer it fails as without a network. */
  const fulfil = async ({ requestId, request }: Fields) => {
    const { url } = request as { url: string };
    const response = await answerer!(url).catch(() => undefined);
    if (!response) {
      await send("Fetch.failRequest", { requestId, errorReason: "InternetDisconnected" });
      return;
    }
    const body = (await response.bytes()).toBase64();
    const headers = [...response.headers, ["access-control-allow-origin", "*"]];
    await send("Fetch.fulfillRequest", {
      requestId,
      responseCode: response.status,
      responseHeaders: headers.map(([name, value]) => ({ name, value })),
      body,
    }).catch(() => {}); // the page has given it up meanwhile
  };
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const attached = await send("Target.attachToTarget", { targetId, flatten: true });
  target.sessionId = attached.sessionId;
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(`${domain}.enable`);
  return {
    send,
    complaints,
    requests,
    async route(start, answer) {
      answerer = answer;
      await send("Fetch.enable", { patterns: [{ urlPattern: `${start}*` }] });
    },
    async open(url) {
      const load = new Promise<void>((resolve) => loaded = resolve);
      await send("Page.navigate", { url });
      await load;
    },
    async evaluate<Value>(expression: string) {
      const asked = { expression, returnByValue: true, awaitPromise: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", asked);
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: Value }).value;
    },
  };
}
