/** README and guides: short enough to be read, links that lead somewhere, and commands that there are. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import project from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../../", import.meta.url));

async function documents(): Promise<string[]> {
  const guides = await Array.fromAsync(Deno.readDir(join(root, "docs")));
  const names = guides.map(({ name }) => name).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...names.map((name) => `docs/${name}`)];
}

const withoutCode = (text: string) => text.replace(/```[\s\S]*?```/g, "").replace(/^ {4}.*$/gm, "");

/** A heading's anchor, as GitHub makes it. */
const anchor = (title: string) =>
  title.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");

Deno.test("README has at most 200 lines", async () => {
  const lines = (await Deno.readTextFile(join(root, "README.md"))).split("\n").length - 1;
  assert.ok(lines <= 200, `${lines} lines`);
});

Deno.test("links in README and guides lead to a file, and to a heading in it", async () => {
  let count = 0;
  for (const path of await documents()) {
    const text = withoutCode(await Deno.readTextFile(join(root, path)));
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file, heading] = target.split("#");
      const full = file === "" ? join(root, path) : join(root, dirname(path), file);
      await Deno.stat(full).catch(() => assert.fail(`${path} links to ${target}`));
      count++;
      if (heading === undefined || /^L\d/.test(heading)) continue;
      const titles = [...(await Deno.readTextFile(full)).matchAll(/^#+ (.*)$/gm)];
      const anchors = titles.map(([, title]) => anchor(title));
      assert.ok(anchors.includes(heading), `${path} links to ${target}`);
    }
  }
  assert.ok(count > 30, `only ${count} links`);
});

Deno.test("README and guides name tasks that there are", async () => {
  const tasks = Object.keys(project.tasks);
  for (const path of await documents()) {
    const text = await Deno.readTextFile(join(root, path));
    for (const [, task] of text.matchAll(/\.?\/?deno(?:w)? task ([a-z][\w:]*)/g)) {
      assert.ok(tasks.includes(task), `${path}: deno task ${task}`);
    }
  }
});
