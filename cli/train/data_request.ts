/** The data that flags ask for, and what is told of their labels in the words of the flags. */
import type { LabelCase } from "../../models/data/labels.ts";
import type { Dataset } from "../../models/data/load.ts";
import { counted, listed } from "../../models/errors.ts";
import type { DatasetRequest } from "../../models/host/dataset.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import type { Flags } from "./flags.ts";

export function dataRequest(flags: Flags, hub: HubSettings): DatasetRequest {
  const { dataset, useSample, textColumn, labelColumn } = flags;
  const { splitBy, labelCase, encoding, quoting } = flags;
  const asked = { textColumn, labelColumn, splitBy, labelCase, encoding, quoting };
  return { dataset, useSample, ...asked, phrase: (notice) => messageWithAdvice(notice), hub };
}

/** So many groups of labels are named. */
const mostGroups = 5;

/** On labels that look like one: which, how often, and what became of them. */
export function labelNotices(
  { lookAlikes }: Pick<Dataset, "lookAlikes">,
  labelCase: LabelCase = "keep",
): string[] {
  if (lookAlikes.length === 0) return [];
  const groups = lookAlikes.map((group) =>
    group.map(({ label, rows }) => `"${label}" (${counted(rows, "row")})`).join(" and ")
  );
  const what = `Labels that differ only in case or blanks: ${listed(groups, mostGroups)}.`;
  return [
    labelCase === "fold"
      ? `${what} Each group is one class, by its most frequent spelling.`
      : `${what} They are classes of their own; --label_case fold makes one of each group.`,
  ];
}
