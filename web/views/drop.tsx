/** A panel on which files and folders can be dropped. */
/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** Folders below a dropped one that are looked into. */
const deepest = 2;

const filesIn = (entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => {
    const reader = entry.createReader();
    const found: FileSystemEntry[] = [];
    const more = () =>
      reader.readEntries((entries) => {
        if (entries.length === 0) return resolve(found);
        found.push(...entries);
        more();
      }, reject);
    more();
  });

/** The files of an entry by their paths, which a dropped file does not tell itself. */
async function filesOf(entry: FileSystemEntry, depth = 0): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    );
    const path = entry.fullPath.replace(/^\//, "");
    if (path.includes("/")) Object.defineProperty(file, "webkitRelativePath", { value: path });
    return [file];
  }
  if (depth > deepest) return [];
  const below = await filesIn(entry as FileSystemDirectoryEntry);
  return (await Promise.all(below.map((each) => filesOf(each, depth + 1)))).flat();
}

interface Props {
  disabled?: boolean;
  children: ComponentChildren;
  onFiles(files: File[]): void;
}

export function DropPanel({ disabled, children, onFiles }: Props) {
  const [over, setOver] = useState(false);
  return (
    <div
      class={over && !disabled ? "panel over" : "panel"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={async (event) => {
        event.preventDefault();
        setOver(false);
        if (disabled) return;
        const { items, files } = event.dataTransfer!;
        const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
        const dropped = [...files]; // both are gone when the handler has waited
        if (entries.length === 0) return onFiles(dropped);
        onFiles((await Promise.all(entries.map((entry) => filesOf(entry)))).flat());
      }}
    >
      {children}
    </div>
  );
}
