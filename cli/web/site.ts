/** The page's files: what the bundler made of `web/`, and what is copied beside it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the page is built. */
export const siteFolder = join(root, "web", "dist");

const styles = [
  ...["tokens", "ground", "layout", "forms", "figures", "labels"],
  ...["understand", "switches", "measure"],
];

/** Files of the repository by their names in the site; several become one, in their order. */
export const copied: Readonly<Record<string, string | readonly string[]>> = {
  "index.html": "web/index.html",
  "style.css": styles.map((name) => `web/styles/${name}.css`),
  "recorded.json": "web/recorded.json",
  "sample.csv": "assets/sample/emotions.csv",
  "mini/README.md": "assets/mini/README.md",
  "mini/config.json": "assets/mini/config.json",
  "mini/model.safetensors": "assets/mini/model.safetensors",
  "mini/tokenizer_config.json": "assets/mini/tokenizer_config.json",
  "mini/vocab.txt": "assets/mini/vocab.txt",
};

/** The path of a file of the repository. */
export const repositoryPath = (path: string) => join(root, path);

/** Types of the site's files, by their ends. */
export const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  md: "text/markdown; charset=utf-8",
  safetensors: "application/octet-stream",
};
