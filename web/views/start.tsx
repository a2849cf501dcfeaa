/** What is there before the GPU is, or in its place. */
/// <reference lib="dom" />
import type { DeviceError } from "../../engine/errors.ts";
import { sentenceOf } from "./format.ts";
import { Recorded } from "./recorded.tsx";

export function Header() {
  return (
    <header>
      <h1>PEFT in a tab</h1>
      <p class="about">LoRA, adapters and full fine-tuning of a small BERT, on your own GPU</p>
    </header>
  );
}

export function Starting() {
  return (
    <>
      <Header />
      <p role="status">Asking for the GPU, and fetching the model (3.3 MB) …</p>
    </>
  );
}

export function Problem({ error }: { error: unknown }) {
  return (
    <>
      <Header />
      <p class="problem" role="alert">{sentenceOf(error)} Reload the page to try again.</p>
    </>
  );
}

/** What to do where a browser has no WebGPU, or no adapter. */
export function NoGpu({ error }: { error: DeviceError }) {
  const missing = !("gpu" in navigator);
  const insecure = !isSecureContext;
  return (
    <>
      <Header />
      <section class="panel" role="alert">
        <h2>This browser gives the page no GPU</h2>
        <p>
          {insecure
            ? "WebGPU is given to pages from https or localhost only, and this one is from neither."
            : missing
            ? "It does not know WebGPU, by which a page computes on the GPU."
            : `It knows WebGPU and says: ${error.message}`}
        </p>
        <h3>What to do</h3>
        <ul>
          {insecure && <li>Open the page by https, or from localhost.</li>}
          <li>
            Chrome or Edge from version 117 on Windows, macOS and ChromeOS, 121 on Android, and 144
            on Linux with an Intel GPU of Gen12 or newer: nothing to set. On Linux otherwise: open
            {" "}
            <code>chrome://flags/#enable-unsafe-webgpu</code> and enable it, or start with{" "}
            <code>--enable-unsafe-webgpu --enable-features=Vulkan</code>.
          </li>
          <li>
            Without a GPU:{" "}
            <code>chromium --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader</code>{" "}
            computes on the processor, slowly.
          </li>
          <li>
            Safari from version 26. Firefox from 141 on Windows, and from 147 on Macs with Apple
            silicon.
          </li>
          <li>
            Or train without a browser:{" "}
            <code>./denow task train --model_name mini --use_sample</code>.
          </li>
        </ul>
      </section>
      <Recorded />
    </>
  );
}
