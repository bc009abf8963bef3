// Loads the files of the page, and starts workers with them.

import type { Config, ModelFiles } from "./model/predictor.ts";
import type { ToWorker, FromWorker } from "./worker.ts";

/** What a page has loaded; nothing else is requested afterwards. */
export interface Loaded {
  name: string;
  files: ModelFiles;
  /** Code of the worker, as an address inside of the browser. */
  worker: string;
}

/** Loads everything; `onProgress` gets the share of the model's weights that has arrived. */
export async function loadPage(onProgress: (share: number) => void): Promise<Loaded> {
  const [{ name, ...config }, counts, tables, code, weights] = await Promise.all([
    getJson<Config & { name: string }>("model.json"),
    getJson<ModelFiles["counts"]>("vocabulary.json"),
    getJson<ModelFiles["tables"]>("tables.json"),
    get("worker.js").then((file) => file.text()),
    get("model.safetensors").then((file) => withProgress(file, onProgress)),
  ]);
  const worker = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return { name, files: { config, weights, counts, tables }, worker };
}

/**
 * Forbids this page, and the workers that it starts from now on, every further request for files and data.
 *
 * This policy is added to that of index.html; neither can be taken back. A worker that is started from a blob: address,
 * as ours are, has the policies of its page.
 */
export function forbidRequests(): void {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "default-src 'none'; script-src 'wasm-unsafe-eval'; img-src data:; worker-src blob:";
  document.head.append(policy);
}

/** A worker that has loaded the model. */
export async function startWorker({ files, worker: code }: Loaded): Promise<Worker> {
  const worker = new Worker(code);
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "loaded") resolve();
      else if (data.kind === "failed") reject(new Error(data.message));
    };
    worker.onerror = (event) => reject(new Error(event.message || "The browser cannot start a worker."));
    const request: ToWorker = { kind: "load", files };
    worker.postMessage(request);
  }).catch((error: unknown) => {
    worker.terminate();
    throw error;
  });
  worker.onmessage = worker.onerror = null;
  return worker;
}

async function get(name: string): Promise<Response> {
  const response = await fetch(name).catch(() => {
    throw new Error(`${name} cannot be loaded. Open this page from a web server, such as that of: sentiment app`);
  });
  if (!response.ok) throw new Error(`${name} cannot be loaded: the server answers ${response.status}.`);
  return response;
}

async function getJson<Content>(name: string): Promise<Content> {
  const text = await (await get(name)).text();
  try {
    return JSON.parse(text) as Content;
  } catch {
    throw new Error(`${name} is damaged; copy the page again.`);
  }
}

async function withProgress(response: Response, onProgress: (share: number) => void): Promise<ArrayBuffer> {
  const total = Number(response.headers.get("Content-Length")),
    parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for (const reader = response.body!.getReader(); ;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Error("The connection broke while the model was loading; open the page again.");
    });
    if (done) break;
    parts.push(value);
    received += value.length;
    if (total) onProgress(Math.min(1, received / total));
  }
  return new Blob(parts).arrayBuffer();
}
