/** The whole command in a process of its own, with the permissions that its task has. */
import assert from "node:assert/strict";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { runTrain } from "./command.ts";
import { withFolder } from "../files/temporary.ts";
import { fill, goldens, joined, runInspect, told } from "./inspect.ts";

Deno.test("the task may read, ask the hub, and nothing else", () => {
  const { env, ...others } = project.permissions.inspect;
  assert.deepEqual(others, { read: true, sys: ["homedir"] }); // where the hub's cache is
  // Where Deno keeps packages, what started ranks and what selects a GPU matter to those who compute.
  const computing = /^(DENO_|LOCALAPPDATA|OMPI_|PMIX?_|SLURM_|PEFT_MPI|LD_|DRI_|MESA_|NVIDIA_|VK_)/;
  const { env: all } = project.permissions.commands;
  assert.deepEqual(env, all.filter((name) => !computing.test(name)));
  assert.match(project.tasks.inspect.command, /--allow-net=\$\(deno run [^)]*cli\/hosts\.ts\) /);
});

Deno.test("a base model: its sizes, its tensors by layers, and the command that takes it", async () => {
  const stdout = await told(`${goldens}/model/`);
  assert.match(stdout, /^test\/goldens\/model: base model\n/);
  assert.match(stdout, /^Model type +bert$/m);
  assert.match(stdout, /^Labels +sadness, joy, love, anger, fear$/m);
  assert.match(stdout, /^Tensors +41, F32$/m);
  assert.match(stdout, /^Values +21,509$/m);
  assert.match(stdout, /^Metadata +format: pt$/m);
  assert.match(
    stdout,
    /^bert\.encoder\.layer\.\{0…1\}\.output\.dense\.bias +2 +F32 +\[32\] +256$/m,
  );
  assert.match(stdout, /\nUse it: deno task train --model_name test\/goldens\/model\n$/);
  for (const name of ["roberta", "distilbert"]) {
    assert.match(
      await told(`${goldens}/models/${name}`),
      /\nUse it: deno task train --model_name /,
    );
  }
});

Deno.test("--all lists every tensor, and lines stay within the terminal", async () => {
  const all = await told(`${goldens}/model`, "--all");
  for (const layer of [0, 1]) {
    assert.match(
      all,
      new RegExp(`^bert\\.encoder\\.layer\\.${layer}\\.output\\.dense\\.bias `, "m"),
    );
  }
  assert.doesNotMatch(all, /Count|…/);
  const paths = [
    `${goldens}/model`,
    `${goldens}/adapter-houlsby/adapterhub`,
    `${goldens}/ia3/peft`,
  ];
  for (const path of paths) {
    for (const columns of [60, 80]) {
      const { stdout } = await runInspect([path], columns);
      // Paths and commands stay whole.
      for (const line of stdout.split("\n").filter((line) => !line.includes(path))) {
        assert.ok(line.length <= columns, `${columns} columns: ${line}`);
      }
      assert.doesNotMatch(stdout, /[a-z_.]…/, "no name is cut");
    }
  }
});

Deno.test("a file of weights by itself", async () => {
  const stdout = await told(`${goldens}/lora/peft/adapter_model.safetensors`);
  assert.match(stdout, /: safetensors file\n/);
  assert.match(stdout, /^Tensors +10, F32$/m);
  assert.match(stdout, /\nUse it: deno task inspect test\/goldens\/lora\/peft\n$/);
});

Deno.test("adapters of PEFT: settings, and how to use them here and in Python", async () => {
  const stdout = await told(`${goldens}/lora/peft`);
  assert.match(stdout, /: adapter of PEFT\n/);
  assert.match(stdout, /^PEFT type +LORA$/m);
  assert.match(stdout, /^Base model +golden-bert$/m);
  assert.match(stdout, /^Rank +4$/m);
  assert.match(stdout, /^Target modules +query, value$/m);
  assert.doesNotMatch(stdout, /Problem/);
  assert.match(joined(stdout), /Note In Python's PEFT.*PeftModel\.from_pretrained\(/);
  assert.match(stdout, /\nUse it: deno task predict --run test\/goldens\/lora\/peft "TEXT"\n$/);
  assert.match(await told(`${goldens}/dora/peft`), /^Variant +DoRA$/m);
});

Deno.test("adapters of other kinds are told, with what the reader refuses", () =>
  withFolder(async (folder) => {
    const prompt = await fill(join(folder, "prompt"), {
      "adapter_config.json": `{"peft_type": "PROMPT_TUNING", "base_model_name_or_path": "x"}`,
    });
    assert.match(
      joined(await told(prompt)),
      /adapter of PEFT .*"peft_type" is "PROMPT_TUNING"; LORA and IA3 can be read\..*adapter_model\.safetensors/,
    );
    const hubLora = await fill(join(folder, "hub"), {
      "adapter_config.json": `{"name": "x", "config": {"architecture": "lora", "r": 8}}`,
      "pytorch_adapter.bin": "PK\x03\x04",
    });
    const stdout = joined(await told(hubLora));
    assert.match(stdout, /adapter of AdapterHub .*Architecture lora Rank 8 /);
    assert.match(stdout, /"architecture" is "lora".*no adapter\.safetensors.*no head_config\.json/);
    assert.match(stdout, /Not opened, as pickles can run code .*: pytorch_adapter\.bin\./);
  }));

Deno.test("adapters of AdapterHub: placement, head and both files of weights", async () => {
  for (const placement of ["houlsby", "pfeiffer", "parallel", "shared"]) {
    const stdout = await told(`${goldens}/adapter-${placement}/adapterhub`);
    assert.match(stdout, /: adapter of AdapterHub\n/);
    assert.match(stdout, /^Labels +sadness, joy, love, anger, fear$/m);
    assert.match(stdout, /^File +adapter\.safetensors$/m);
    assert.match(stdout, /^File +model_head\.safetensors$/m);
    assert.match(joined(stdout), /Note In Python's adapters.*load_adapter/);
    const written = placement === "shared" ? "pfeiffer" : placement; // as which it is written
    assert.match(stdout, new RegExp(`^Placement +${written}$`, "m"));
    assert.doesNotMatch(stdout, /Problem/);
    assert.match(stdout, /\nUse it: deno task predict --run .*adapterhub "TEXT"\n$/);
  }
});

Deno.test("real runs, and the experiment that they are in", () =>
  withFolder(async (folder) => {
    const train = ["--model_name", "mini", "--use_sample", "--max_samples", "60", "--no_tune"];
    const where = ["--num_epochs", "1", "--max_length", "16", "--output_dir", folder];
    for (const method of ["full", "lora"]) {
      const args = [...train, ...where, "--experiment", "my runs", "--method", method];
      const ended = await runTrain(method === "lora" ? [...args, "--rank", "4"] : args);
      assert.equal(ended.code, 0, ended.stderr);
    }
    const experiment = join(folder, "my runs");
    const stdout = await told(experiment);
    assert.match(stdout, /: experiment of this program\n\nModel +mini\nData set +sample\n/);
    assert.match(stdout, /^full +Full +\d\.\d{4} +\d\.\d{4} +1,645,325$/m);
    assert.match(stdout, /^lora-r4 +LoRA r=4 +/m);
    assert.match(
      stdout,
      /\nUse it: deno task train .*--experiment 'my runs' --model_name mini --use_sample\n$/,
    );
    const full = await told(join(experiment, "full"));
    assert.match(full, /: run of this program\n\nMethod +Full\nAccuracy +\d\.\d{4}\n/);
    assert.match(full, /^Data set +sample$/m);
    assert.match(full, /\nUse it: deno task predict --run '.*full' "TEXT"\n$/);
    const lora = await told(join(experiment, "lora-r4"));
    assert.match(lora, /^Method +LoRA r=4$/m);
    assert.match(lora, /^PEFT type +LORA$/m);
    assert.match(joined(lora), /Labels +anger, disappointment/);
  }));

Deno.test("--json is one document with every tensor", async () => {
  const document = JSON.parse(await told(`${goldens}/model`, "--json"));
  assert.equal(document.kind, "model");
  assert.equal(document.details.hidden_size, 32);
  const [{ file, metadata, totals, tensors }] = document.weights;
  assert.equal(file, "model.safetensors");
  assert.deepEqual(metadata, { format: "pt" });
  assert.deepEqual(totals, { tensors: 41, values: 21509, bytes: 86036 });
  assert.equal(tensors.length, 41);
  const bias = { name: "classifier.bias", dtype: "F32", shape: [5], bytes: 20 };
  assert.deepEqual(tensors.find(({ name }: { name: string }) => name === bias.name), bias);
  assert.deepEqual(document.use, {
    command: "deno task train --model_name test/goldens/model",
  });
});

Deno.test("data sets: columns and rows, and what training would need to be told", () =>
  withFolder(async (folder) => {
    const sample = await told("assets/sample/emotions.csv");
    assert.match(sample, /: data set\n\nSize .*\nRows +1,404\nColumns +text, label\n/);
    assert.match(sample, /\nUse it: deno task train --dataset assets\/sample\/emotions\.csv\n$/);
    const other = await fill(join(folder, "other"), { "a.csv": "words,class\nhello,1\n" });
    assert.match(
      joined(await told(other)),
      /Problem .*Use it: deno task train .*--text_column NAME/,
    );
    const odd = join(folder, "odd");
    const latin = Uint8Array.from("text,label\nun th\xe9,joy\n", (letter) => letter.charCodeAt(0));
    const packed = new Blob(["text,label\na,joy\nb,fear\n"]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    await fill(odd, {
      "latin.csv": latin,
      "open.tsv": 'text\tlabel\n"a\tjoy\nb\tfear\n',
      "packed.csv.gz": new Uint8Array(await new Response(packed).arrayBuffer()),
    });
    assert.match(await told(join(odd, "latin.csv")), /\.csv --encoding windows-1252\n$/);
    assert.match(await told(join(odd, "open.tsv")), /\.tsv --quoting none\n$/);
    assert.match(await told(join(odd, "packed.csv.gz")), /\nRows +2\n.*\nUse it: .*\.csv\.gz\n$/s);
    const jsonl = `{"text": "a", "label": 1}\n{"text": "b", "label": 2}\n`;
    const below = join(folder, "below");
    await fill(join(below, "data"), { "train.jsonl": jsonl });
    assert.match(
      await told(below),
      /\nFiles +data\/train\.jsonl\n[\s\S]*\nUse it: deno task train --dataset \S*below\n$/,
    );
    const deep = join(folder, "deep");
    await fill(join(deep, "default", "train"), { "0000.jsonl": jsonl });
    assert.match(await told(deep), /\nFiles +default\/train\/0000\.jsonl\n/);
    const parts = join(folder, "parts");
    const rows = "text,label\na,x\nb,y\n";
    await fill(parts, { "train.csv": rows, "dev.csv": `${rows}c,x\n`, "test-1.csv": rows });
    assert.match(
      await told(parts),
      /\nTrained on +train\.csv\n[^]*\nRows +2\n[^]*\nValidated on +dev\.csv, 3 rows\nTested on +test-1\.csv, 2 rows\n/,
    );
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n";
    const lfs = await fill(join(folder, "lfs"), { "train.parquet": pointer });
    const { code, stdout } = await runInspect([lfs]);
    assert.equal(code, 1);
    assert.match(joined(stdout), /git-LFS pointer.*of 7 bytes/);
  }));

Deno.test("--help and wrong use", async () => {
  const help = await runInspect(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--all[^]*--json/);
  for (const line of help.stdout.split("\n")) assert.ok(line.length <= 80, line);
  for (const args of [[], ["a", "b"], ["--al", "x"], [""]]) {
    const { code, stderr } = await runInspect(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, /^Error: .* See deno task inspect --help\.\n$/);
  }
});
