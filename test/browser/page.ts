/** Stands in for Deno in the page: `Deno.test` collects tests, which run one by one when they are asked for. */
import { losses } from "./training.ts";

type Body = () => unknown;
interface Definition {
  name: string;
  ignore?: boolean;
  fn: Body;
}

/** What is told of a test before it runs. */
export type Listed = Pick<Definition, "name"> & { ignore: boolean };

const tests: Definition[] = [];

function test(definition: Definition): void;
function test(name: string, body: Body): void;
function test(name: string, options: Partial<Definition>, body: Body): void;
function test(first: string | Definition, second?: Partial<Definition> | Body, third?: Body): void {
  if (typeof first !== "string") tests.push(first);
  else if (typeof second === "function") tests.push({ name: first, fn: second });
  else tests.push({ ...second, name: first, fn: third! });
}

/** What the driver asks of the page. */
const page = {
  /** Loads the bundle of a test file, and lists its tests. */
  async load(url: string): Promise<Listed[]> {
    await import(url);
    return tests.map(({ name, ignore = false }) => ({ name, ignore }));
  },
  /** Runs a test; returns why it failed. */
  async run(index: number): Promise<string | undefined> {
    try {
      await tests[index].fn();
    } catch (error) {
      return error instanceof Error ? error.stack : String(error);
    }
  },
  /** The losses of {@link losses} in this browser. */
  losses: () =>
    losses(async (path) => new Uint8Array(await (await fetch(`/assets/${path}`)).arrayBuffer())),
};

export type Harness = typeof page;

// npm's `assert` asks for `process.env` while it is loaded.
Object.assign(globalThis, { Deno: { test }, process: { env: {} }, page });
