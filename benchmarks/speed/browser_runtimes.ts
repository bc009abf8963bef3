// Reviews a second in this browser, computed in three ways; `browser_runtimes.py` opens it.
//
// The page's own network runs with its compiled arithmetic, and with the same steps on plain typed arrays. ONNX Runtime
// Web computes the exported graph.

import * as onnx from "onnxruntime-web/wasm";
import { PANEL } from "../../sentiment/web/source/model/kernel.ts";
import { Network, type Sizes } from "../../sentiment/web/source/model/network.ts";
import { readSafetensors } from "../../sentiment/web/source/model/safetensors.ts";

/** Reviews that ONNX Runtime computes at a time, sorted by length; as many as the page does. */
const ONNX_BATCH = 64;

type Measure = (kind: "plain" | "simd" | "onnx", reviews: number[][]) => Promise<{ seconds: number; logits: number[] }>;
declare global {
  var measure: Measure;
}

/** The arithmetic of `kernel.ts` with plain typed arrays, four rows at a time. */
function plainArithmetic() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let all = new Float32Array(memory.buffer);
  const floats = () => (all.buffer === memory.buffer ? all : (all = new Float32Array(memory.buffer)));
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return {
    memory,
    linear(
      inputs: number,
      weights: number,
      bias: number,
      outputs: number,
      rows: number,
      inner: number,
      columns: number,
    ) {
      const f = floats(),
        x = inputs >> 2,
        w = weights >> 2,
        b = bias >> 2,
        y = outputs >> 2;
      for (let column = 0; column < columns; column += 2) {
        const panel = w + (column - (column % PANEL)) * inner + (column % PANEL);
        let row = 0;
        for (; row + 4 <= rows; row += 4) {
          let a0 = f[b + column],
            a1 = a0,
            a2 = a0,
            a3 = a0,
            c0 = f[b + column + 1],
            c1 = c0,
            c2 = c0,
            c3 = c0;
          const x0 = x + row * inner,
            x1 = x0 + inner,
            x2 = x1 + inner,
            x3 = x2 + inner;
          for (let k = 0, place = panel; k < inner; k++, place += PANEL) {
            const w0 = f[place],
              w1 = f[place + 1];
            const v0 = f[x0 + k],
              v1 = f[x1 + k],
              v2 = f[x2 + k],
              v3 = f[x3 + k];
            ((a0 += v0 * w0), (c0 += v0 * w1), (a1 += v1 * w0), (c1 += v1 * w1));
            ((a2 += v2 * w0), (c2 += v2 * w1), (a3 += v3 * w0), (c3 += v3 * w1));
          }
          const to = y + row * columns + column;
          ((f[to] = a0), (f[to + 1] = c0), (f[to + columns] = a1), (f[to + columns + 1] = c1));
          ((f[to + 2 * columns] = a2),
            (f[to + 2 * columns + 1] = c2),
            (f[to + 3 * columns] = a3),
            (f[to + 3 * columns + 1] = c3));
        }
        for (; row < rows; row++) {
          let a = f[b + column],
            c = f[b + column + 1];
          for (let k = 0, place = panel, from = x + row * inner; k < inner; k++, place += PANEL) {
            ((a += f[from + k] * f[place]), (c += f[from + k] * f[place + 1]));
          }
          ((f[y + row * columns + column] = a), (f[y + row * columns + column + 1] = c));
        }
      }
    },
    step(
      gates: number,
      long: number,
      short: number,
      above: number,
      rows: number,
      hidden: number,
      shortStride: number,
      aboveStride: number,
    ) {
      const f = floats();
      for (let row = 0; row < rows; row++) {
        const g = (gates >> 2) + row * 4 * hidden,
          c = (long >> 2) + row * hidden;
        const to = (short + row * shortStride) >> 2,
          up = (above + row * aboveStride) >> 2;
        for (let unit = 0; unit < hidden; unit++) {
          f[c + unit] =
            sigmoid(f[g + hidden + unit]) * f[c + unit] + sigmoid(f[g + unit]) * Math.tanh(f[g + 2 * hidden + unit]);
          f[to + unit] = f[up + unit] = sigmoid(f[g + 3 * hidden + unit]) * Math.tanh(f[c + unit]);
        }
      }
    },
    pool(outputs: number, largest: number, sum: number, rows: number, hidden: number) {
      const f = floats(),
        o = outputs >> 2,
        l = largest >> 2,
        s = sum >> 2;
      for (let place = 0; place < rows * hidden; place++) {
        f[l + place] = Math.max(f[l + place], f[o + place]);
        f[s + place] += f[o + place];
      }
    },
  };
}

async function network(plain: boolean): Promise<(reviews: number[][]) => Promise<number[]>> {
  const { model } = (await (await fetch("model.json")).json()) as { model: Sizes };
  const tensors = readSafetensors(await (await fetch("model.safetensors")).arrayBuffer());
  const instantiate = WebAssembly.instantiate;
  if (plain) WebAssembly.instantiate = (async () => ({ instance: { exports: plainArithmetic() } })) as never;
  const found = await Network.load(model, tensors);
  WebAssembly.instantiate = instantiate;
  return async (reviews) => Array.from(found.logits(reviews.map((ids) => Int32Array.from(ids))));
}

async function onnxRuntime(): Promise<(reviews: number[][]) => Promise<number[]>> {
  onnx.env.wasm.numThreads = 1;
  const session = await onnx.InferenceSession.create("model.onnx");
  return async (reviews) => {
    const order = reviews.map((_, index) => index).sort((a, b) => reviews[b].length - reviews[a].length);
    const logits = new Array<number>(reviews.length);
    for (let start = 0; start < order.length; start += ONNX_BATCH) {
      const rows = order.slice(start, start + ONNX_BATCH),
        time = reviews[rows[0]].length;
      const ids = new BigInt64Array(rows.length * time).fill(1n); // the padding
      rows.forEach((review, row) => reviews[review].forEach((id, t) => (ids[row * time + t] = BigInt(id))));
      const lengths = BigInt64Array.from(rows, (review) => BigInt(reviews[review].length));
      const found = await session.run({
        [session.inputNames[0]]: new onnx.Tensor("int64", ids, [rows.length, time]),
        [session.inputNames[1]]: new onnx.Tensor("int64", lengths, [rows.length]),
      });
      rows.forEach((review, row) => (logits[review] = Number(found[session.outputNames[0]].data[row])));
    }
    return logits;
  };
}

globalThis.measure = async (kind, reviews) => {
  const run = await (kind === "onnx" ? onnxRuntime() : network(kind === "plain"));
  await run(reviews.slice(0, 2 * ONNX_BATCH)); // to warm up
  const began = performance.now();
  const logits = await run(reviews);
  return { seconds: (performance.now() - began) / 1000, logits };
};
