/** What a page does with a hub's answers: it takes what was listed, and says what went wrong. */
import assert from "node:assert/strict";
import { HubError } from "../../models/hub/errors.ts";
import type { Repository } from "../../models/hub/repository.ts";
import { explained, fetchListed } from "../../web/lab/hub/request.ts";
import { hashOf } from "../models/fake_hub.ts";

const repository: Repository = { type: "model", name: "org/tiny" };
const bytes = new Uint8Array([1, 2, 3, 4]);
const file = { path: "model.safetensors", size: bytes.length, hash: hashOf(bytes) };

/** Fetches the file from a hub that answers so; what goes wrong is told as the page tells it. */
async function fetched(
  answer: () => Response | Promise<Response>,
  asked = file,
  signal = new AbortController().signal,
): Promise<Uint8Array> {
  const { fetch } = globalThis;
  globalThis.fetch = () => Promise.resolve(answer());
  let heard = 0;
  try {
    const content = await fetchListed("https://huggingface.co/x", asked, signal, (count) => {
      heard += count;
    });
    assert.equal(heard, asked.size);
    return await content.bytes();
  } catch (error) {
    throw explained(error, repository);
  } finally {
    globalThis.fetch = fetch;
  }
}

const refused = (answer: () => Response | Promise<Response>, message: RegExp) =>
  assert.rejects(fetched(answer), (error: unknown) => {
    assert.ok(error instanceof HubError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("a file is taken where it has the size and the hash that were listed", async () => {
  assert.deepEqual(await fetched(() => new Response(bytes)), bytes);
  const text = "{}\n";
  const small = { path: "config.json", size: 3, hash: hashOf(text) };
  assert.equal(new TextDecoder().decode(await fetched(() => new Response(text), small)), text);
  await refused(
    () => new Response(bytes.slice(1)),
    /cannot be trusted .* 3 B of model.* instead of 4 B/,
  );
  await refused(() => new Response("12345"), /5 B of model\.safetensors instead of 4 B/);
  await refused(() => new Response("1234"), /other bytes of model\.safetensors than it lists/);
});

Deno.test("what a hub refuses, or a network does not give, is said with what to do", async () => {
  const status = (status: number) => () => new Response("no", { status });
  await refused(
    status(401),
    /There is no model org\/tiny .*private or gated.*answer 401.*choose them here/,
  );
  await refused(status(404), /answer 404.*spelling/);
  await refused(status(503), /answered 503 .*Try again later/);
  await refused(
    () => Promise.reject(new TypeError("Failed to fetch")),
    /cannot be reached\. Is this/,
  );
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, 1));
    },
    pull: (controller) => controller.error(new TypeError("network error")),
  });
  await refused(() => new Response(broken), /broke after 1 B of model\.safetensors/);
});

Deno.test("what the reader ends is no mistake", async () => {
  const controller = new AbortController();
  controller.abort();
  const ended = new DOMException("ended", "AbortError");
  await assert.rejects(
    fetched(() => Promise.reject(ended), file, controller.signal),
    (error) => error === ended,
  );
});
