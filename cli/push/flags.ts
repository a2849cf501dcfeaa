/** The flags of `deno task push`. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { flag, parseCommand, type Parsed, switchOn, valueOf } from "../shared/flag_parser.ts";
import { parseText } from "../shared/flag_values.ts";
import { folder, runFlag } from "../trained/flags.ts";

/** `user/name`, as the hub takes it. Throws a sentence where it would not. */
function parseRepository(text: string): string {
  const part = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?$/;
  const parts = text.split("/");
  const fits = parts.length === 2 && parts.every((each) => part.test(each)) &&
    !/--|\.\.|\.git$/.test(text) && text.length <= 96;
  if (!fits) {
    throw new Error(
      `"${text}" is no repository of the hub: it is named USER/NAME, of letters, digits, - _ and . ` +
        `(not at an end, and no two together).`,
    );
  }
  return text;
}

/** A license as the hub names it. Throws a sentence where it is none. */
function parseLicense(text: string): string {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(text)) {
    throw new Error(`"${text}" is no license's name on the hub, such as apache-2.0, mit or other.`);
  }
  return text;
}

/** A branch of a git repository. Throws a sentence where git would refuse its name. */
function parseBranch(text: string): string {
  if (!/^(?!\/|.*(\.\.|\/\/|@\{|\.lock$|[/.]$))[\w./@-]+$/.test(text) || text.startsWith("-")) {
    throw new Error(`"${text}" cannot be a branch's name.`);
  }
  return text;
}

export const parser = merge(
  group(
    "What",
    object({
      run: runFlag("Folder of a run or of a merged model"),
      baseModel: flag(
        "--base_model",
        valueOf("NAME", parseRepository, ""),
        "Its base's name on the hub",
        "the run's",
      ),
      withBase: flag(
        "--with_base",
        folder,
        "Send the base in this folder along",
        "the built-in one",
      ),
      license: flag(
        "--license",
        valueOf("NAME", parseLicense, ""),
        "License that the card names",
        "none",
      ),
      card: flag(
        "--card",
        valueOf("FILE", parseText, ""),
        "Send this file as the model card",
        "a generated one",
      ),
    }),
  ),
  group(
    "Where to",
    object({
      repo: flag(
        "--repo",
        valueOf("NAME", parseRepository, ""),
        "Repository, as USER/NAME; made where missing",
        "required",
      ),
      branch: flag(
        "--branch",
        valueOf("NAME", parseBranch, ""),
        "Branch; made where missing",
        "main",
      ),
      private: switchOn("--private", "Make the repository a private one"),
      message: flag("--message", valueOf("TEXT", parseText, ""), "The commit's title", "Add …"),
    }),
  ),
  group(
    "Look first",
    object({
      dryRun: switchOn("--dry_run", "Only list the files; asks no network"),
      showCard: switchOn("--show_card", "Only print the model card; asks no network"),
      json: switchOn("--json", "Print one JSON document on stdout"),
    }),
  ),
);

/** What the command line says; a flag that was not given is undefined (or false). */
export type PushFlags = InferValue<typeof parser>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parsePushFlags(args: readonly string[]): Parsed<PushFlags> {
  return parseCommand(parser, args, {
    command: "deno task push",
    brief:
      "Uploads a trained run or a merged model to the Hugging Face hub, with a model card, in " +
      "one commit. The token comes from HF_TOKEN or from hf auth login.",
    examples: [
      "push --run results/001-mini-sample/full --repo me/emotions --dry_run",
      "push --run my-model --repo me/emotions --show_card > card.md",
      "push --run my-model --repo me/emotions --card card.md --private",
    ],
  });
}
