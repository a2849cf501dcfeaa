import assert from "node:assert/strict";
import { join } from "node:path";
import { declareModel, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights, randomWeights } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { noWeights } from "../../models/files/shards.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import type { ParameterSpec } from "../../models/nn/scope.ts";
import { folderTest, golden, goldenFolder } from "./temporary.ts";

const config = parseConfig(await readJsonObject(goldenFolder("model"), "config.json"));
const classes = 5;
const specsOf = (count = classes) => declareModel(config, count).specs;
const stored = await readTensors(goldenFolder("model"), "model.safetensors");

type Stored = typeof stored;

async function write(folder: string, tensors: Stored, name = "model.safetensors"): Promise<void> {
  await writeFiles(folder, [{ name, tensors }]);
}

function renamed(rename: (name: string) => string): Stored {
  return new Map([...stored].map(([name, tensor]) => [rename(name), tensor]));
}

/** Opens a folder, checks that it holds the golden encoder, and returns the notes. */
async function notesOf(
  folder: string,
  isNew: (spec: ParameterSpec) => boolean = () => false,
  wantedClasses = classes,
): Promise<string[]> {
  const source = await openWeights(hostFolder(folder), config, wantedClasses);
  try {
    for (const spec of specsOf(wantedClasses)) {
      const data = await source.read(spec);
      assert.deepEqual(data, isNew(spec) ? undefined : stored.get(spec.name)?.data, spec.name);
    }
    return source.notes;
  } finally {
    source.close();
  }
}

async function fails(folder: string, message: RegExp, model = config): Promise<void> {
  await assert.rejects(
    openWeights(hostFolder(folder), model, classes),
    (error) => error instanceof UserError && message.test(error.message),
  );
}

Deno.test("a folder that transformers wrote is read under its own names", async () => {
  assert.deepEqual(await notesOf(golden("model")), [
    "The classifier of 5 classes comes from the checkpoint.",
  ]);
});

folderTest(
  "names without the bert. prefix, gamma and beta, and surplus tensors are read",
  async (folder) => {
    const tensors = renamed((name) =>
      name.replace(/^bert\./, "").replace(/LayerNorm\.weight$/, "LayerNorm.gamma")
        .replace(/LayerNorm\.bias$/, "LayerNorm.beta")
    );
    for (const name of ["cls.predictions.bias", "embeddings.position_ids", "cls.a", "cls.b"]) {
      tensors.set(name, { shape: [1], data: new Float32Array(1) });
    }
    await write(folder, tensors);
    const notes = await notesOf(folder);
    assert.equal(
      notes[0],
      "4 tensors of the checkpoint are not used: cls.a, cls.b, cls.predictions.bias, …",
    );
  },
);

folderTest("a sharded checkpoint is read; a broken one is an error", async (folder) => {
  const entries = [...stored];
  await write(folder, new Map(entries.slice(0, 20)), "model-00001-of-00002.safetensors");
  await write(folder, new Map(entries.slice(20)), "model-00002-of-00002.safetensors");
  const index = join(folder, "model.safetensors.index.json");
  const map = Object.fromEntries(
    entries.map(([name], i) => [name, `model-0000${i < 20 ? 1 : 2}-of-00002.safetensors`]),
  );
  const writeIndex = (weightMap: unknown) =>
    Deno.writeTextFile(index, toJson({ metadata: {}, weight_map: weightMap }));
  await writeIndex(map);
  await notesOf(folder);
  await writeIndex({ ...map, [entries[0][0]]: "model-00002-of-00002.safetensors" });
  await fails(folder, /model-00002-of-00002\.safetensors lacks the tensor "bert\.embeddings/);
  await writeIndex({ ...map, [entries[0][0]]: "../elsewhere.safetensors" });
  await fails(folder, /no file name/);
  await writeIndex({ ...map, [entries[0][0]]: "absent.safetensors" });
  await fails(folder, /no file .*absent\.safetensors/);
  await writeIndex(undefined);
  await fails(folder, /has no "weight_map"/);
});

folderTest("a missing or misshapen tensor of the encoder is an error at once", async (folder) => {
  const name = "bert.encoder.layer.1.attention.self.key.bias";
  const tensors = new Map(stored);
  tensors.delete(name);
  await write(folder, tensors);
  await fails(
    folder,
    /lacks the tensor "bert\.encoder\.layer\.1\.attention\.self\.key\.bias" of a bert encoder with 2 layers/,
  );
  tensors.set(name, { shape: [4, 8], data: new Float32Array(32) });
  await write(folder, tensors);
  await fails(folder, /key\.bias" has the shape \[4, 8\], .* asks for \[32\]/);
  await fails(golden("model"), /lacks .*layer\.2\..* and 15 more/, { ...config, layers: 3 });
});

folderTest("the same tensor under two names is an error", async (folder) => {
  const word = "embeddings.word_embeddings.weight";
  const double = stored.get(`bert.${word}`);
  assert(double);
  await write(folder, new Map([...stored, [word, double]]));
  await fails(folder, /are the same tensor/);
});

folderTest("a folder without safetensors says what to do", async (folder) => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
  await Deno.writeTextFile(join(folder, "model.safetensors"), pointer);
  await fails(folder, /model\.safetensors is a git-LFS pointer/);
  await Deno.remove(join(folder, "model.safetensors"));
  await fails(folder, /has neither model\.safetensors nor/);
  await Deno.writeTextFile(join(folder, "pytorch_model.bin"), "");
  await fails(folder, /pytorch_model\.bin only.*safe_serialization=False.*save_pretrained/);
});

Deno.test("weights in another format are told by it, and converted where that can be", () => {
  const converted = /AutoModel\.from_pretrained\("a"(, from_(tf|flax)=True)?\)\.save_pretrained/;
  const cases: [string, RegExp, boolean][] = [
    ["pytorch_model-00001-of-00002.bin", /pickle/, true],
    ["tf_model.h5", /TensorFlow's/, true],
    ["flax_model.msgpack", /Flax's/, true],
    ["model-q4.gguf", /llama\.cpp's/, false],
    ["onnx/model.onnx", /as ONNX/, false],
    ["weights.pt", /probably a pickle/, false],
    ["bert_model.ckpt.index", /a checkpoint/, false],
  ];
  for (const [file, format, convertible] of cases) {
    const { message } = noWeights("a", ["config.json", file, "vocab.txt"]);
    assert.ok(message.startsWith(`a has its weights as ${file} only, `), message);
    assert.match(message, format);
    assert.equal(converted.test(message), convertible, message);
  }
  assert.match(noWeights("a", ["x.safetensors"]).message, /only x\.safetensors\. If that holds/);
});

folderTest(
  "weights of whole numbers or of eight bits are refused by their name",
  async (folder) => {
    const name = "bert.encoder.layer.0.output.dense.weight";
    for (const dtype of ["I8", "U8", "F8_E4M3"]) {
      await Deno.writeFile(join(folder, "model.safetensors"), inF16(stored, { name, dtype }));
      await fails(folder, new RegExp(`"${name}" is ${dtype}; only F32`));
    }
  },
);

folderTest(
  "a pooler that is missing as a whole starts new; half a pooler is an error",
  async (folder) => {
    const isPooler = (name: string) => name.startsWith("bert.pooler.");
    const tensors = new Map([...stored].filter(([name]) => !isPooler(name)));
    await write(folder, tensors);
    const notes = await notesOf(folder, (spec) => isPooler(spec.name));
    assert.match(notes[0], /no pooler: it starts new/);
    tensors.set("bert.pooler.dense.bias", { shape: [32], data: new Float32Array(32) });
    await write(folder, tensors);
    await fails(folder, /lacks the tensor "bert\.pooler\.dense\.weight"/);
  },
);

folderTest("a classifier that is missing, or has other classes, starts new", async (folder) => {
  const isHead = (spec: ParameterSpec) => spec.name.startsWith("classifier.");
  assert.deepEqual(await notesOf(golden("model"), isHead, 13), [
    "The checkpoint has a classifier [5, 32]: one for 13 classes starts new.",
  ]);
  await write(folder, new Map([...stored].filter(([name]) => !name.startsWith("classifier."))));
  assert.deepEqual(await notesOf(folder, isHead), [
    "The checkpoint has no classifier: one for 5 classes starts new.",
  ]);
});

Deno.test("a tensor is never read under a shape that is not its own", async () => {
  const source = await openWeights(goldenFolder("model"), config, classes);
  try {
    const [word] = specsOf();
    await assert.rejects(source.read({ ...word, shape: [32, 64] }), /\[64, 32\].*\[32, 64\]/);
    assert.equal(await source.read({ ...word, name: "bert.not.there" }), undefined);
  } finally {
    source.close();
  }
});

Deno.test("a random start has no weights", async () => {
  const source = randomWeights("mini (random, seed 0)");
  for (const spec of specsOf()) {
    assert.equal(await source.read(spec), undefined);
  }
  assert.equal(source.description, "mini (random, seed 0)");
  source.close();
});

for (const [encoder, heads] of [["roberta", 4], ["distilbert", 4]] as const) {
  const base = goldenFolder("models", encoder);

  folderTest(`${encoder}: names with and without its prefix are read`, async (folder) => {
    const model = parseConfig(await readJsonObject(base, "config.json"));
    const { specs } = declareModel(model, classes);
    const all = await readTensors(base, "model.safetensors");
    const bare = new Map(
      [...all].filter(([name]) => name.startsWith(`${encoder}.`))
        .map(([name, tensor]) => [name.slice(encoder.length + 1), tensor]),
    );
    await write(folder, bare);
    for (const [from, withHead] of [[base, true], [hostFolder(folder), false]] as const) {
      const source = await openWeights(from, model, classes);
      let read = 0;
      for (const spec of specs) {
        const expected = spec.role === "head" && !withHead ? undefined : all.get(spec.name)?.data;
        const data = await source.read(spec);
        assert.deepEqual(data, expected, spec.name);
        if (data) read++;
      }
      source.close();
      assert.equal(read, withHead ? all.size : all.size - heads);
      assert.deepEqual(source.notes, [
        withHead
          ? "The classifier of 5 classes comes from the checkpoint."
          : "The checkpoint has no classifier: one for 5 classes starts new.",
      ]);
    }
  });

  folderTest(`${encoder}: BERT's pooler is surplus, and a head comes whole`, async (folder) => {
    const model = parseConfig(await readJsonObject(base, "config.json"));
    const { specs } = declareModel(model, 3);
    const tensors = await readTensors(base, "model.safetensors");
    tensors.set(`${encoder}.pooler.dense.weight`, { shape: [1], data: new Float32Array(1) });
    await write(folder, tensors);
    const source = await openWeights(hostFolder(folder), model, 3);
    for (const spec of specs.filter(({ role }) => role === "head")) {
      assert.equal(await source.read(spec), undefined, spec.name);
    }
    source.close();
    assert.deepEqual(source.notes, [
      `1 tensor of the checkpoint is not used: ${encoder}.pooler.dense.weight.`,
      "The checkpoint has a classifier [5, 32]: one for 3 classes starts new.",
    ]);
  });

  folderTest(`${encoder}: BERT's weights are told to be no such encoder's`, async (folder) => {
    const model = parseConfig(await readJsonObject(base, "config.json"));
    await write(folder, stored);
    await fails(folder, new RegExp(`of a ${encoder} encoder with 2 layers.*such as .*${encoder}`), {
      ...model,
    });
  });
}

/**
 * The golden encoder's weights as a safetensors file of 16-bit floats, which the project does not write; the bytes of
 * one tensor are given out as another type's.
 */
function inF16(tensors: Stored, other?: { name: string; dtype: string }): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, { shape, data }]) => ({
    name,
    shape,
    bytes: new Uint8Array(new Float16Array(data).buffer),
  }));
  let end = 0;
  const header = Object.fromEntries(entries.map(({ name, shape, bytes }) => {
    const begin = end;
    end += bytes.length;
    const kind = name === other?.name
      ? { dtype: other.dtype, shape: [bytes.length] }
      : { dtype: "F16", shape };
    return [name, { ...kind, data_offsets: [begin, end] }];
  }));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let offset = 8 + json.length;
  for (const { bytes } of entries) {
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

for (const dtype of ["F32", "F16"]) {
  folderTest(
    `${dtype}: a value that is no finite number is found by its tensor`,
    async (folder) => {
      const name = "bert.encoder.layer.1.attention.self.key.bias";
      const bare = "encoder.layer.1.attention.self.key.bias"; // its name in the file
      const [damaged] = specsOf().filter((spec) => spec.name === name);
      const rest = specsOf().filter((spec) => spec.name !== name);
      for (const value of [NaN, Infinity, -Infinity]) {
        const tensors = renamed((name) => name.replace(/^bert\./, ""));
        const { shape, data } = tensors.get(bare)!;
        tensors.set(bare, { shape, data: data.with(7, value) });
        if (dtype === "F32") await write(folder, tensors);
        else await Deno.writeFile(join(folder, "model.safetensors"), inF16(tensors));
        const source = await openWeights(hostFolder(folder), config, classes);
        await assert.rejects(source.read(damaged), (error) => {
          assert(error instanceof UserError, String(error));
          assert(
            error.message.startsWith(`${folder}: "${bare}" holds ${value} (value 7 of 32): `),
            error.message,
          );
          return true;
        });
        for (const spec of rest) {
          assert((await source.read(spec))?.every(Number.isFinite), spec.name);
        }
        source.close();
      }
    },
  );
}

folderTest("a run's file with a value that is no finite number is refused", async (folder) => {
  const tensors = new Map([["a", { shape: [2], data: Float32Array.of(1, 2) }]]);
  await write(folder, tensors, "good.safetensors");
  assert.deepEqual(await readTensors(hostFolder(folder), "good.safetensors"), tensors);
  tensors.get("a")!.data[1] = NaN;
  await write(folder, tensors, "bad.safetensors");
  await assert.rejects(readTensors(hostFolder(folder), "bad.safetensors"), (error) => {
    assert(error instanceof UserError);
    assert.match(error.message, /bad\.safetensors: "a" holds NaN \(value 1 of 2\): .*damaged/);
    return true;
  });
});
