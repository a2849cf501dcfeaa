/** The page: what it needs is fetched, the GPU is asked for, and the views are put in its place. */
/// <reference lib="dom" />
import { render } from "preact";
import { DeviceError } from "../engine/errors.ts";
import { sampleData } from "./lab/data.ts";
import { Lab, openDevice } from "./lab/lab.ts";
import { fetchBase, fetchFile } from "./site.ts";
import { App } from "./views/app.tsx";
import { NoGpu, Problem, Starting } from "./views/start.tsx";

const page = document.getElementById("page")!;

async function start(): Promise<void> {
  page.replaceChildren();
  render(<Starting />, page);
  const loading = Promise.all([fetchBase(), fetchFile("sample.csv").then(sampleData)]);
  loading.catch(() => {}); // told below, where the GPU is there
  try {
    const device = await openDevice();
    const [base, data] = await loading;
    const lab = new Lab(device, base, data);
    render(<App lab={lab} />, page);
    await lab.openKept();
  } catch (error) {
    render(
      error instanceof DeviceError ? <NoGpu error={error} /> : <Problem error={error} />,
      page,
    );
  }
}

await start();
