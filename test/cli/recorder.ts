import type { Output } from "../../cli/shared/terminal.ts";

/** An output that keeps what is written. */
export function recorder(columns = 80, terminal = false): Output & { text: string } {
  return {
    text: "",
    write(text: string) {
      this.text += text;
    },
    terminal,
    color: false,
    columns: () => columns,
  };
}
