/** Texts typed at a prompt, each labelled at once. */
import process from "node:process";
import * as readline from "node:readline";
import { widest } from "../shared/table.ts";
import { harmless } from "../shared/terminal.ts";
import type { Ranked } from "./report.ts";

/** Lines as they are typed. */
export interface LineReader {
  lines: AsyncIterable<string>;
  /** Asks for the next, if there can be one. */
  prompt(): void;
  close(): void;
}

/** Reads lines from the terminal, with editing and history; Ctrl-D ends them, Ctrl-C calls `interrupted`. */
export function terminalLines(interrupted: () => void): LineReader {
  // The prompt goes to standard error, so that standard output has the labels alone.
  const reader = readline.createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: true,
    prompt: "> ",
  });
  let open = true; // Ctrl-D may come while a line is being answered
  reader.on("close", () => open = false);
  reader.on("SIGINT", () => {
    reader.close(); // gives the terminal back as it was
    interrupted();
  });
  return { lines: reader, prompt: () => open && reader.prompt(), close: () => reader.close() };
}

/** Answers line after line until one is empty or there are no more. */
export async function answerLines(
  { lines, prompt, close }: LineReader,
  answer: (text: string) => Promise<void>,
): Promise<void> {
  try {
    prompt();
    for await (const line of lines) {
      const text = line.trim();
      if (text === "") return;
      await answer(text);
      prompt();
    }
  } finally {
    close();
  }
}

const barWidth = 20;

/** The best labels of a text by each run, with bars, as lines at most `width` columns wide; a run alone is not named. */
export function answerRows(
  names: readonly string[],
  rankings: readonly Ranked[][],
  topK: number,
  width: number,
): string[] {
  const shown = rankings.flatMap((ranked, run) =>
    ranked.slice(0, topK).map(({ label, probability }, place) => ({
      name: place === 0 && names.length > 1 ? names[run] : "",
      label: harmless(label),
      probability,
    }))
  );
  const nameWidth = widest(shown.map(({ name }) => name));
  const labelWidth = widest(shown.map(({ label }) => label));
  const indent = nameWidth > 0 ? nameWidth + 4 : 2;
  const left = width - indent - labelWidth - "  0.0000  ".length;
  const bars = Math.max(0, Math.min(barWidth, left));
  return shown.map(({ name, label, probability }) =>
    `  ${name.padEnd(indent - 2)}${label.padEnd(labelWidth)}  ${probability.toFixed(4)}  ${
      "█".repeat(Math.round(probability * bars))
    }`.trimEnd()
  );
}
