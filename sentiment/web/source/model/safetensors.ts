// Reads model.safetensors: a length, a JSON header, and the numbers. https://github.com/huggingface/safetensors

export type Tensors = Map<string, Float32Array>;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** {name: all numbers of a tensor, as float32}; float32, float16 and bfloat16 are read without loss. */
export function readSafetensors(buffer: ArrayBuffer): Tensors {
  const { start, header } = readHeader(buffer);
  const tensors: Tensors = new Map();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = data_offsets;
    if (start + to > buffer.byteLength) {
      throw new Error(`model.safetensors: is incomplete, ${buffer.byteLength} bytes; copy the page again.`);
    }
    const values = asFloat32(dtype, buffer.slice(start + from, start + to));
    if (values.length !== shape.reduce((product, size) => product * size, 1)) throw damaged();
    tensors.set(name, values);
  }
  return tensors;
}

function readHeader(buffer: ArrayBuffer): { start: number; header: Record<string, Entry> } {
  try {
    const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
    return { start, header: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8))) };
  } catch {
    throw damaged();
  }
}

function damaged(): Error {
  return new Error("model.safetensors: is damaged; copy the page again.");
}

function asFloat32(dtype: string, bytes: ArrayBuffer): Float32Array {
  if (dtype === "F32") return new Float32Array(bytes);
  const halves = new Uint16Array(bytes);
  const values = new Float32Array(halves.length);
  if (dtype === "BF16") {
    const bits = new Uint32Array(values.buffer); // the upper half of a float32
    for (let place = 0; place < halves.length; place++) bits[place] = halves[place] << 16;
    return values;
  }
  if (dtype === "F16") {
    for (let place = 0; place < halves.length; place++) values[place] = HALVES[halves[place]];
    return values;
  }
  throw new Error(`model.safetensors: has weights of type ${dtype}; F32, F16 and BF16 can be read.`);
}

/** The value of each float16. */
const HALVES = Float32Array.from({ length: 65536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1,
    exponent = (half >> 10) & 31,
    fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
});
