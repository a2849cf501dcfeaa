/** A table for a paper: LaTeX with the package booktabs. */
import type { Column } from "./table.ts";
import { harmless } from "./terminal.ts";

const escapes: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
};

/** Text in which nothing is a command to LaTeX, and which stays on its line. */
export function escapeLatex(text: string): string {
  return harmless(text.replace(/\s+/g, " ")).replace(
    /[\\~^<>|"{}$&#%_]/g,
    (character) => escapes[character] ?? `\\${character}`,
  );
}

/** A floating table; `caption` and `notes` are plain text. */
export function renderLatex(
  columns: readonly Column[],
  rows: readonly string[][],
  { caption, notes }: { caption: string; notes: readonly string[] },
): string[] {
  const line = (cells: readonly string[]) => `    ${cells.map(escapeLatex).join(" & ")} \\\\`;
  return [
    "% \\usepackage[T1]{fontenc}",
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\begin{tabular}{${columns.map(({ right }) => right ? "r" : "l").join("")}}`,
    "    \\toprule",
    line(columns.map(({ title }) => title)),
    "    \\midrule",
    ...rows.map(line),
    "    \\bottomrule",
    "  \\end{tabular}",
    ...notes.map((note) => `  \\par\\smallskip\\footnotesize ${escapeLatex(note)}`),
    "\\end{table}",
  ];
}
