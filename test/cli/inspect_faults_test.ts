/** What `deno task inspect` says of what is no model, or a damaged one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../files/temporary.ts";
import { damaged, fill, goldens, joined, runInspect, told } from "./inspect.ts";

Deno.test("shards by their index, and one that is missing", () =>
  withFolder(async (folder) => {
    const [{ tensors }] = JSON.parse(await told(`${goldens}/model`, "--json")).weights;
    const names: string[] = tensors.map(({ name }: { name: string }) => name);
    const indexOf = (last: string) => {
      const files = names.map((name, at) => [name, at < 40 ? "part-1.safetensors" : last]);
      return JSON.stringify({ weight_map: Object.fromEntries(files) });
    };
    const index = "model.safetensors.index.json";
    await fill(folder, {
      [index]: indexOf("part-1.safetensors"),
      "part-1.safetensors": await Deno.readFile(`${goldens}/model/model.safetensors`),
    });
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
      await Deno.copyFile(`${goldens}/model/${name}`, join(folder, name));
    }
    const whole = await told(folder);
    assert.match(whole, /^File +model\.safetensors\.index\.json, 1 file$/m);
    assert.match(whole, /^Tensors +41, F32$/m);
    assert.match(whole, /\nUse it: deno task train --model_name .*\n$/);
    await fill(folder, { [index]: indexOf("part-2.safetensors") });
    const { code, stdout } = await runInspect([folder]);
    assert.equal(code, 1);
    assert.match(stdout, /^File +model\.safetensors\.index\.json, 2 files$/m);
    assert.match(
      joined(stdout),
      /has no part-2\.safetensors, which model\.safetensors\.index\.json/,
    );
  }));

Deno.test("a model of another kind, and a folder of nothing known, say why", () =>
  withFolder(async (folder) => {
    const gpt = await fill(join(folder, "gpt"), { "config.json": `{"model_type": "gpt2"}` });
    assert.match(
      joined(await told(gpt)),
      /Model type gpt2 .*"model_type" is "gpt2"; supported are "bert".*Use it: this program cannot/,
    );
    for (const label of ["pos", "neg"]) {
      await fill(join(folder, "imdb", "train", label), { "0_1.txt": "A film" });
    }
    assert.match(
      joined(await told(join(folder, "imdb"))),
      /holds texts as files of their own, .*neg, pos/,
    );
    const empty = await fill(join(folder, "empty"), { "notes.md": "" });
    assert.match(joined(await told(empty)), /nothing that is known here .*Looked for config\.json/);
  }));

Deno.test("files that cannot be read are one sentence and exit code 1", () =>
  withFolder(async (folder) => {
    const model = await Deno.readFile(`${goldens}/model/model.safetensors`);
    await fill(folder, {
      "short.safetensors": model.subarray(0, model.length - 4),
      "tiny.safetensors": model.subarray(0, 100),
      "words.safetensors": "no tensors in here",
      "pytorch_model.bin": "PK\x03\x04 and more",
      "lfs.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    });
    await damaged(join(folder, "short.safetensors"), /is cut off: its tensors take 86036 bytes/);
    await damaged(join(folder, "tiny.safetensors"), /is cut off: its header/);
    await damaged(join(folder, "words.safetensors"), /is not a safetensors file/);
    await damaged(join(folder, "pytorch_model.bin"), /zip archive.*can run code/);
    await damaged(join(folder, "lfs.safetensors"), /git-LFS pointer.*of 9 bytes/);
    await fill(folder, {
      "noext": "text,label\na,joy\n",
      "lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    });
    await damaged(join(folder, "noext"), /Cannot tell what .*noext is: its name is no table's/);
    await damaged(join(folder, "lfs"), /git-LFS pointer.*of 9 bytes/);
    await damaged(join(folder, "nothing"), /There is no file or folder .*named org\/name/);
    await fill(join(folder, "adapter"), { "adapter_config.json": "{" });
    await damaged(join(folder, "adapter"), /adapter_config\.json is not JSON/);
  }));

Deno.test("a file's control characters do not reach the terminal", () =>
  withFolder(async (folder) => {
    const config = { peft_type: "LORA", base_model_name_or_path: "\x1b]0;title\x07\x1b[31mred" };
    await fill(folder, { "adapter_config.json": JSON.stringify(config) });
    const stdout = await told(folder);
    assert.match(stdout, /\\u001b\]0;title/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f]/);
  }));
