/** PEFT folders that ask for what the engine does not compute, or that contradict themselves. */
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import { refusedTest } from "./folders.ts";

const lora = loraDefaults(2);
const ia3: Method = {
  method: "ia3",
  targetModules: ["key", "value", "output"],
};
const file = "adapter_config.json";

const refused: [string, Method, Record<string, unknown>, RegExp][] = [
  [
    "another PEFT method",
    lora,
    { peft_type: "LOHA" },
    /adapter_config\.json: "peft_type" is "LOHA"; LORA and IA3 can be read/,
  ],
  [
    "ranks by layer that the tensors do not have",
    lora,
    { rank_pattern: { query: 8 } },
    /query\.lora_A\.weight" is \[2, 32\] instead of \[8, 32\]/,
  ],
  [
    "a rank by layer that is none",
    lora,
    { rank_pattern: { query: 0.5 } },
    /"rank_pattern" is \{"query":0\.5\}; only positive whole numbers/,
  ],
  [
    "an alpha by layer that is no number",
    lora,
    { alpha_pattern: { query: "8" } },
    /"alpha_pattern" is \{"query":"8"\}; only numbers/,
  ],
  [
    "a pattern that is no expression",
    lora,
    { rank_pattern: { "(?P<name>query)": 2 } },
    /"rank_pattern" is .*; only regular expressions that JavaScript reads too/,
  ],
  [
    "a pattern that JavaScript would read otherwise",
    lora,
    { rank_pattern: { "query\\Z": 2 } },
    /"rank_pattern" is .*; only regular expressions that JavaScript reads too/,
  ],
  [
    "biases that it does not have",
    lora,
    { bias: "all" },
    /"bert\.embeddings\.LayerNorm\.bias" \[32\] is missing/,
  ],
  ["biases of another kind", lora, { bias: "some" }, /"bias" is "some"; only none, all, lora_only/],
  ["DoRA without magnitudes", lora, { use_dora: true }, /lora_magnitude_vector" \[32\] is missing/],
  ["layers that are no numbers", lora, { layers_to_transform: ["a"] }, /"layers_to_transform" is/],
  [
    "fewer layers than its tensors",
    lora,
    { layers_to_transform: 1 },
    /layer\.0\.attention\.self\.query\.lora_A\.weight" is not one of its tensors/,
  ],
  [
    "a saved module that it does not hold",
    lora,
    { modules_to_save: ["pooler", "classifier"] },
    /"bert\.pooler\.dense\.weight" \[32, 32\] is missing/,
  ],
  [
    "PiSSA",
    lora,
    { init_lora_weights: "pissa_niter_16" },
    /"init_lora_weights" is "pissa_niter_16"; that start changes the base's weights/,
  ],
  ["OLoRA", lora, { init_lora_weights: "olora" }, /"init_lora_weights" is "olora"; that start/],
  [
    "an expression of targets that JavaScript would read otherwise",
    lora,
    { target_modules: "\\A.*query" },
    /"target_modules" is .*; only regular expressions that JavaScript reads too/,
  ],
  [
    "an expression for other layers than its tensors'",
    lora,
    { target_modules: ".*query" },
    /value\.lora_A\.weight" is not one of its tensors/,
  ],
  [
    "an expression for no layer",
    lora,
    { target_modules: "query" }, // of a whole name
    /"target_modules" is "query"; that is no linear layer of bert/,
  ],
  [
    "layers beside an expression",
    lora,
    { target_modules: ".*(query|value)", layers_to_transform: [1] },
    /"layers_to_transform" is \[1\]; beside a target_modules that is a text, only null/,
  ],
  [
    "no targets",
    lora,
    { target_modules: null },
    /"target_modules" is null; only a list of module names/,
  ],
  ["LoRA with a bias", lora, { lora_bias: true }, /"lora_bias" is true; only its default/],
  ["quantisation-aware LoRA", lora, { use_qalora: true }, /"use_qalora" is true; only its default/],
  ["transposed weights", lora, { fan_in_fan_out: true }, /"fan_in_fan_out" is true/],
  ["Megatron's layers", lora, { megatron_config: { tp: 2 } }, /"megatron_config" is \{"tp":2\}/],
  ["a field of a later PEFT", lora, { use_new: 0.5 }, /"use_new" is 0\.5; only its default/],
  ["another task", lora, { task_type: "TOKEN_CLS" }, /"task_type" is "TOKEN_CLS"; only "SEQ_CLS"/],
  [
    "a model of another class",
    lora,
    { task_type: null, auto_mapping: { base_model_class: "BertForTokenClassification" } },
    /"auto_mapping" is .*"BertForTokenClassification".*; only BertForSequenceClassification/,
  ],
  ["a rank that is none", lora, { r: 0 }, /"r" is 0/],
  [
    "another rank than the tensors'",
    lora,
    { r: 8 },
    /lora_A\.weight" is \[2, 32\] instead of \[8, 32\]/,
  ],
  [
    "fewer targets than tensors",
    lora,
    { target_modules: ["query"] },
    /value\.lora_A\.weight" is not one of its tensors/,
  ],
  [
    "excluded modules that have tensors",
    lora,
    { exclude_modules: ["value"] },
    /value\.lora_A\.weight" is not one of its tensors/,
  ],
  [
    "IA³ of feed-forward modules that PEFT would choose",
    ia3,
    { feedforward_modules: null },
    /"feedforward_modules" is null; only a list of module names/,
  ],
  [
    "IA³ on fewer layers than its tensors",
    ia3,
    { target_modules: ".*key" },
    /output\.dense\.ia3_l" is not one of its tensors/,
  ],
  ["IA³ and the pooler", ia3, { modules_to_save: ["pooler"] }, /"modules_to_save" is \["pooler"\]/],
  ["an unknown field of IA³", ia3, { new_field: [1] }, /"new_field" is \[1\]; only its default/],
  ["IA³ on transposed weights", ia3, { fan_in_fan_out: true }, /"fan_in_fan_out" is true/],
  [
    "IA³ on other inputs than its tensors",
    ia3,
    { feedforward_modules: [] },
    /layer\.0\.attention\.output\.dense\.ia3_l" is \[1, 32\] instead of \[32, 1\]/,
  ],
];

for (const [what, method, fields, message] of refused) {
  refusedTest([what, method, file, fields, message]);
}
