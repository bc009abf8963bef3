// SentimentRNN: word vectors, stacked LSTM layers, pooling, head. Computes what `sentiment/models/lstm.py` does.
//
// Reviews are computed side by side, word by word: one matrix product gives the gates of all of them. Their order is by
// length, so that those that have ended are the last rows, which are left out.

import { addressOf, Block, Kernel, LANES, Linear, padded, PANEL } from "./kernel.ts";
import type { Tensors } from "./safetensors.ts";

/** Reviews that are computed side by side. */
const ROWS = 64;
const BLOCKS_PER_LAYER = 5;
/** Four for pooling, three for each linear layer of the head. */
const MOST_OTHER_BLOCKS = 10;

export interface Sizes {
  vocab_size: number;
  embedding_dim: number;
  hidden_dim: number;
  num_layers: number;
  pooling: "last" | "last_max_mean";
  head_dim: number;
}

/** Gates and memories of a layer, each [time, hidden]; named like `LayerTrace` of `sentiment/explanation/gates.py`. */
export interface LayerTrace {
  longRememberPercent: Float32Array;
  potentialRememberPercent: Float32Array;
  potentialMemory: Float32Array;
  updatedLongMemory: Float32Array;
  outputPercent: Float32Array;
  updatedShortMemory: Float32Array;
}

/** What happens while a review is read. */
export interface NetworkTrace {
  /** Logit after each word. */
  logits: Float32Array;
  layers: LayerTrace[];
}

interface Layer {
  /** Numbers of an input, without the short-term memory behind them. */
  width: number;
  gates: Linear;
  /** [rows, width + hidden]: the input and the short-term memory. */
  inputs: Block;
  /** [rows, 4 · hidden]: the gates. */
  activations: Block;
  /** [rows, hidden]: the long-term memory. */
  long: Block;
}

export class Network {
  private readonly hidden: number;
  private readonly layers: Layer[];
  private readonly embedding: Float32Array;
  /** Outputs of the last layer, their maximum so far, and their sum; each [rows, hidden]. */
  private readonly top: Block;
  private readonly largest: Block;
  private readonly sum: Block;
  /** What the head gets: [rows, 1 or 3 · hidden]. */
  private readonly features: Block;
  private readonly head: { linear: Linear; outputs: Block }[];

  private constructor(
    private readonly kernel: Kernel,
    readonly sizes: Sizes,
    tensors: Tensors,
  ) {
    const hidden = (this.hidden = padded(sizes.hidden_dim, LANES));
    this.embedding = tensor(tensors, "encoder.embedding.weight");
    this.layers = Array.from({ length: sizes.num_layers }, (_, depth) => this.layer(depth, tensors));
    this.top = kernel.allocate(ROWS * hidden);
    this.largest = kernel.allocate(ROWS * hidden);
    this.sum = kernel.allocate(ROWS * hidden);
    this.features = kernel.allocate(ROWS * hidden * pools(sizes));
    this.head = headShapes(sizes).map(([name, inner, columns], depth) => {
      const linear = new Linear(kernel, inner, columns);
      const weights = tensor(tensors, `${name}.weight`),
        bias = tensor(tensors, `${name}.bias`);
      const own = weights.length / bias.length;
      for (let column = 0; column < bias.length; column++) {
        linear.bias.values[column] = bias[column];
        for (let input = 0; input < own; input++) {
          // features are padded, each by itself
          const place = depth ? input : Math.floor(input / sizes.hidden_dim) * hidden + (input % sizes.hidden_dim);
          linear.set(place, column, weights[column * own + input]);
        }
      }
      return { linear, outputs: kernel.allocate(ROWS * columns) };
    });
  }

  static async load(sizes: Sizes, tensors: Tensors): Promise<Network> {
    const hidden = padded(sizes.hidden_dim, LANES);
    let floats = ROWS * hidden * (3 + pools(sizes));
    for (let depth = 0; depth < sizes.num_layers; depth++) {
      const inner = (depth ? hidden : sizes.embedding_dim) + hidden;
      floats += Linear.size(inner, 4 * hidden) + ROWS * (inner + 5 * hidden);
    }
    for (const [, inner, columns] of headShapes(sizes)) floats += Linear.size(inner, columns) + ROWS * columns;
    return new Network(
      await Kernel.load(floats, BLOCKS_PER_LAYER * sizes.num_layers + MOST_OTHER_BLOCKS),
      sizes,
      tensors,
    );
  }

  private layer(depth: number, tensors: Tensors): Layer {
    const {
      hidden,
      kernel,
      sizes: { hidden_dim: own, embedding_dim },
    } = this;
    const width = depth ? hidden : embedding_dim,
      ownWidth = depth ? own : embedding_dim;
    const gates = new Linear(kernel, width + hidden, 4 * hidden);
    const [inputWeights, shortWeights, inputBias, shortBias] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(
      (name) => tensor(tensors, `encoder.layers.${depth}.${name}_l0`),
    );
    for (let row = 0; row < 4 * own; row++) {
      const column = Math.floor(row / own) * hidden + (row % own);
      gates.bias.values[column] = inputBias[row] + shortBias[row];
      for (let input = 0; input < ownWidth; input++) gates.set(input, column, inputWeights[row * ownWidth + input]);
      for (let unit = 0; unit < own; unit++) gates.set(width + unit, column, shortWeights[row * own + unit]);
    }
    return {
      width,
      gates,
      inputs: kernel.allocate(ROWS * (width + hidden)),
      activations: kernel.allocate(ROWS * 4 * hidden),
      long: kernel.allocate(ROWS * hidden),
    };
  }

  /** Logit of each review, given as token ids in reading order. */
  logits(reviews: Int32Array[]): Float32Array {
    const order = reviews.map((_, index) => index).sort((a, b) => reviews[b].length - reviews[a].length);
    const logits = new Float32Array(reviews.length);
    for (let start = 0; start < order.length; start += ROWS) {
      const rows = order.slice(start, start + ROWS);
      this.reset();
      let active = rows.length;
      for (let time = 0; time < reviews[rows[0]].length; time++) {
        while (reviews[rows[active - 1]].length <= time) active--;
        for (let row = 0; row < active; row++) this.embed(row, reviews[rows[row]][time]);
        this.advance(active);
      }
      const found = this.readOut(rows.length, (row) => reviews[rows[row]].length);
      rows.forEach((review, row) => (logits[review] = found[row]));
    }
    return logits;
  }

  /** Everything that happens while one review is read. */
  read(ids: Int32Array): NetworkTrace {
    const time = ids.length,
      own = this.sizes.hidden_dim;
    const layers = this.layers.map(() => emptyTrace(time * own));
    const logits = new Float32Array(time);
    this.reset();
    for (let t = 0; t < time; t++) {
      const row = t % ROWS;
      this.embed(0, ids[t]);
      this.advance(1);
      this.layers.forEach((layer, depth) => this.copyTrace(layer, layers[depth], t));
      this.poolInto(row, 0, t + 1);
      if (row === ROWS - 1 || t === time - 1) logits.set(this.classify(row + 1), t - row);
    }
    return { logits, layers };
  }

  private copyTrace({ activations, long, inputs, width }: Layer, trace: LayerTrace, t: number): void {
    const {
      hidden,
      sizes: { hidden_dim: own },
    } = this;
    const part = (block: Block, from: number): Float32Array => block.values.subarray(from, from + own);
    // torch's order of the gates: input, forget, candidate, output
    trace.potentialRememberPercent.set(part(activations, 0), t * own);
    trace.longRememberPercent.set(part(activations, hidden), t * own);
    trace.potentialMemory.set(part(activations, 2 * hidden), t * own);
    trace.outputPercent.set(part(activations, 3 * hidden), t * own);
    trace.updatedLongMemory.set(part(long, 0), t * own);
    trace.updatedShortMemory.set(part(inputs, width), t * own);
  }

  /** Number of words that `logitsWithout` leaves out at most. */
  static readonly LEFT_OUT = ROWS - 1;

  /**
   * Logits of a review without one of its words, for each; a word is the tokens from its start to before its end.
   *
   * Row 0 reads the whole review. At a word that is to be left out, its state is copied to a new row, which waits until
   * the word is over. So all other rows are at the same token, and what comes before the word is computed once.
   *
   * It yields after each token, so that its caller can do other things, or give it up. The network must not compute
   * anything else in between, unless it is given up.
   *
   * @param words at most `LEFT_OUT`, in their order
   */
  *logitsWithout(ids: Int32Array, words: [number, number][]): Generator<void, Float32Array> {
    this.reset();
    let rows = 1,
      next = 0;
    for (let time = 0; time < ids.length; time++) {
      const word = words[next];
      if (word && time === word[0]) this.copyRow(0, rows++);
      const reading = word && time >= word[0] ? rows - 1 : rows;
      for (let row = 0; row < reading; row++) this.embed(row, ids[time]);
      this.advance(reading);
      if (word && time === word[1] - 1) next++;
      yield;
    }
    const lengths = [0, ...words.map(([start, end]) => end - start)];
    return this.readOut(rows, (row) => ids.length - lengths[row]).slice(1);
  }

  private copyRow(from: number, to: number): void {
    const copy = ({ values }: Block, size: number): void => {
      values.copyWithin(to * size, from * size, (from + 1) * size);
    };
    for (const { inputs, long, width } of this.layers) {
      copy(inputs, width + this.hidden);
      copy(long, this.hidden);
    }
    for (const block of [this.top, this.largest, this.sum]) copy(block, this.hidden);
  }

  private reset(): void {
    for (const { inputs, long } of this.layers) {
      inputs.values.fill(0);
      long.values.fill(0);
    }
    this.top.values.fill(0);
    this.largest.values.fill(-Infinity);
    this.sum.values.fill(0);
  }

  private embed(row: number, id: number): void {
    const { width, inputs } = this.layers[0];
    inputs.values.set(this.embedding.subarray(id * width, (id + 1) * width), row * (width + this.hidden));
  }

  /** One word further, for the first rows, whose word vectors are in place. */
  private advance(rows: number): void {
    const { kernel, hidden } = this;
    this.layers.forEach(({ gates, inputs, activations, long, width }, depth) => {
      kernel.linear(inputs, gates, activations, rows);
      const above = this.layers[depth + 1];
      const [target, stride] = above ? [above.inputs, above.width + hidden] : [this.top, hidden];
      kernel.step(activations, long, addressOf(inputs, width), target.address, rows, hidden, width + hidden, stride);
    });
    kernel.pool(this.top, this.largest, this.sum, rows, hidden);
  }

  /** Logits of the first rows, of which each has read `length(row)` words. */
  private readOut(rows: number, length: (row: number) => number): Float32Array {
    for (let row = 0; row < rows; row++) this.poolInto(row, row, length(row));
    return this.classify(rows);
  }

  /** Sets a row of features to what a row of the network has read: its last output, the maximum and the mean. */
  private poolInto(target: number, row: number, words: number): void {
    const {
        hidden,
        features: { values },
      } = this,
      width = hidden * pools(this.sizes);
    const from = row * hidden,
      to = target * width;
    if (words === 0) {
      values.fill(0, to, to + width);
      return;
    }
    values.set(this.top.values.subarray(from, from + hidden), to);
    if (width === hidden) return;
    values.set(this.largest.values.subarray(from, from + hidden), to + hidden);
    for (let unit = 0; unit < hidden; unit++) values[to + 2 * hidden + unit] = this.sum.values[from + unit] / words;
  }

  /** Logits of the first rows of the features. */
  private classify(rows: number): Float32Array {
    let inputs = this.features;
    this.head.forEach(({ linear, outputs }, depth) => {
      const { values } = inputs;
      if (depth) for (let place = 0; place < values.length; place++) values[place] = Math.max(0, values[place]);
      this.kernel.linear(inputs, linear, outputs, rows);
      inputs = outputs;
    });
    return Float32Array.from({ length: rows }, (_, row) => inputs.values[row * PANEL]);
  }
}

/** Features of the pooling, in multiples of the layer's size. */
function pools({ pooling }: Sizes): number {
  return pooling === "last" ? 1 : 3;
}

/** Linear layers of the head: name, inputs, padded outputs. */
function headShapes(sizes: Sizes): [string, number, number][] {
  const width = padded(sizes.hidden_dim, LANES) * pools(sizes);
  if (!sizes.head_dim) return [["head.1", width, PANEL]];
  const between = padded(sizes.head_dim, PANEL);
  return [
    ["head.1", width, between],
    ["head.4", between, PANEL],
  ];
}

function tensor(tensors: Tensors, name: string): Float32Array {
  const found = tensors.get(name);
  if (!found) throw new Error(`model.safetensors: has no tensor ${name}.`);
  return found;
}

function emptyTrace(size: number): LayerTrace {
  const zeros = (): Float32Array => new Float32Array(size);
  return {
    longRememberPercent: zeros(),
    potentialRememberPercent: zeros(),
    potentialMemory: zeros(),
    updatedLongMemory: zeros(),
    outputPercent: zeros(),
    updatedShortMemory: zeros(),
  };
}
