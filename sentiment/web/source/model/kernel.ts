// The compiled arithmetic (`../kernel/kernel.ts`), and the memory that it works in.

import bytes from "../kernel/kernel.wasm";

/** Columns that `linear` computes together. */
export const PANEL = 8;
/** Sizes of layers are multiples of this, so that no vector of four numbers is cut. */
export const LANES = 4;

interface Exports {
  memory: WebAssembly.Memory;
  linear(
    inputs: number,
    weights: number,
    bias: number,
    outputs: number,
    rows: number,
    inner: number,
    columns: number,
  ): void;
  step(
    gates: number,
    long: number,
    short: number,
    above: number,
    rows: number,
    hidden: number,
    shortStride: number,
    aboveStride: number,
  ): void;
  pool(outputs: number, largest: number, sum: number, rows: number, hidden: number): void;
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

/** A part of the memory: float32 numbers at an address. */
export interface Block {
  address: number;
  values: Float32Array;
}

export class Kernel {
  private constructor(
    private readonly exports: Exports,
    private used: number,
  ) {}

  /** Compiles the arithmetic, with a memory of `floats` numbers and 16 bytes for each of `blocks` blocks. */
  static async load(floats: number, blocks: number): Promise<Kernel> {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    const exports = instance.exports as unknown as Exports;
    const own = exports.memory.buffer.byteLength;
    exports.memory.grow(Math.ceil((floats * BYTES + blocks * 16) / PAGE));
    return new Kernel(exports, own);
  }

  /** Takes a block of zeros. The memory does not grow afterwards, so views of it stay valid. */
  allocate(size: number): Block {
    const address = this.used;
    this.used += Math.ceil((size * BYTES) / 16) * 16;
    return { address, values: new Float32Array(this.exports.memory.buffer, address, size) };
  }

  /** `linear` of the compiled arithmetic. */
  linear(inputs: Block, layer: Linear, outputs: Block, rows: number): void {
    const { weights, bias, inner, columns } = layer;
    this.exports.linear(inputs.address, weights.address, bias.address, outputs.address, rows, inner, columns);
  }

  /** `step` of the compiled arithmetic; `short` and `above` are addresses, with strides in numbers. */
  step(
    gates: Block,
    long: Block,
    short: number,
    above: number,
    rows: number,
    hidden: number,
    shortStride: number,
    aboveStride: number,
  ): void {
    this.exports.step(
      gates.address,
      long.address,
      short,
      above,
      rows,
      hidden,
      shortStride * BYTES,
      aboveStride * BYTES,
    );
  }

  /** `pool` of the compiled arithmetic. */
  pool(outputs: Block, largest: Block, sum: Block, rows: number, hidden: number): void {
    this.exports.pool(outputs.address, largest.address, sum.address, rows, hidden);
  }
}

/** Address of a number of a block. */
export function addressOf(block: Block, place: number): number {
  return block.address + place * BYTES;
}

/** `size` or the next multiple of `of`. */
export function padded(size: number, of: number): number {
  return Math.ceil(size / of) * of;
}

/** Weights of a matrix product in the order in which the compiled arithmetic reads them. */
export class Linear {
  readonly weights: Block;
  readonly bias: Block;

  /**
   * @param inner numbers of an input row
   * @param columns numbers of an output row, a multiple of `PANEL`
   */
  constructor(
    kernel: Kernel,
    readonly inner: number,
    readonly columns: number,
  ) {
    this.weights = kernel.allocate(inner * columns);
    this.bias = kernel.allocate(columns);
  }

  /** Numbers that a matrix of this size takes. */
  static size(inner: number, columns: number): number {
    return (inner + 1) * columns;
  }

  /** Sets the weight from an input to an output; all others stay 0. */
  set(input: number, column: number, weight: number): void {
    const panel = Math.floor(column / PANEL);
    this.weights.values[(panel * this.inner + input) * PANEL + (column % PANEL)] = weight;
  }
}
