/** All commands, by the name that they have as tasks too. What a command does is told once, in deno.json. */
import type { Parser } from "@optique/core/parser";
import type { GivenUp } from "../shared/permissions.ts";
import project from "../../deno.json" with { type: "json" };

export interface Command {
  /** One line, without a full stop. */
  summary: string;
  /** Runs it; returns its exit code. What it needs is loaded only then. */
  main(args: readonly string[]): Promise<number>;
  /** What its own task does not permit, and this one's does. */
  without?: readonly GivenUp[];
  /** Its flags and operands. */
  parser(): Promise<Parser<"sync", unknown, unknown>>;
}

const { tasks } = project;

/** In the order in which they are listed. */
export const commands = {
  train: {
    summary: tasks.train.description,
    main: async (args) => {
      const { main, loadTrainingTools } = await import("../train.ts");
      return await main(args, loadTrainingTools);
    },
    parser: async () => (await import("../train/flags.ts")).parser,
  },
  predict: {
    summary: tasks.predict.description,
    main: async (args) => await (await import("../predict.ts")).main(args),
    parser: async () => (await import("../predict/flags.ts")).parser,
  },
  evaluate: {
    summary: tasks.evaluate.description,
    main: async (args) => await (await import("../evaluate.ts")).main(args),
    parser: async () => (await import("../evaluate/flags.ts")).parser,
  },
  merge: {
    summary: tasks.merge.description,
    main: async (args) => await (await import("../merge.ts")).main(args),
    parser: async () => (await import("../merge.ts")).parser,
  },
  report: {
    summary: tasks.report.description,
    without: ["net"],
    main: async (args) => await (await import("../report.ts")).main(args),
    parser: async () => (await import("../report.ts")).parser,
  },
  pretrain: {
    summary: tasks.pretrain.description,
    main: async (args) => await (await import("../pretrain.ts")).main(args),
    parser: async () => (await import("../pretrain/flags.ts")).parser,
  },
  push: {
    summary: tasks.push.description,
    without: ["write"],
    main: async (args) => await (await import("../push.ts")).main(args),
    parser: async () => (await import("../push/flags.ts")).parser,
  },
  inspect: {
    summary: tasks.inspect.description,
    without: ["write"],
    main: async (args) => await (await import("../inspect.ts")).main(args),
    parser: async () => (await import("../inspect.ts")).parser,
  },
  doctor: {
    summary: tasks.doctor.description,
    without: ["write"],
    main: async (args) => await (await import("../doctor.ts")).main(args),
    parser: async () => (await import("../doctor.ts")).parser,
  },
  gradcheck: {
    summary: tasks.gradcheck.description,
    without: ["net", "write"],
    main: async (args) => await (await import("../gradcheck.ts")).main(args),
    parser: async () => (await import("../gradcheck.ts")).parser,
  },
  completions: {
    summary: "Print a script with which bash, zsh or fish complete all of these",
    without: ["net", "write"],
    main: async (args) => await (await import("./completions.ts")).main(args),
    parser: async () => (await import("./completions.ts")).parser,
  },
} satisfies Record<string, Command>;

/** The command of a name, if there is one. */
export function commandNamed(name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name as keyof typeof commands] : undefined;
}
