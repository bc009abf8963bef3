// A trained model: text settings, network and calibration of a model directory.

import type { Tables } from "../text/tables.ts";
import { ReviewEncoder, type TextSettings, UNKNOWN_ID } from "../text/vocabulary.ts";
import { type LayerTrace, Network, type Sizes } from "./network.ts";
import {
  type Calibration,
  confidentFrom,
  type Encoded,
  type Prediction,
  predictionOf,
  probability,
  reasonOf,
  temperature,
} from "./prediction.ts";
import { readSafetensors } from "./safetensors.ts";

/** model.json of the page. */
export interface Config {
  model: Sizes;
  text: TextSettings;
  calibration: Calibration;
}

/** The files of a model, as the page loads them. */
export interface ModelFiles {
  config: Config;
  weights: ArrayBuffer;
  counts: Record<string, number>;
  tables: Tables;
}

/** One review, read word by word. Arrays are in reading order, which is backward for some models. */
export interface Reading {
  text: string;
  prediction: Prediction;
  /** Words and punctuation marks as the network reads them. */
  tokens: string[];
  /** Where each token stands in the text; of several tokens for one sign, all but the first are empty. */
  offsets: [number, number][];
  /** The words as they were typed, as tokens from the first to before the last: "9/10" has four, for example. */
  words: [number, number][];
  /** Whether each token is in the vocabulary. */
  known: boolean[];
  backward: boolean;
  logit: number;
  /** Probability of positive after each token. */
  running: number[];
  layers: LayerTrace[];
  /** The score from which the model is not called unsure. */
  confidentFrom: number;
}

export class Predictor {
  private constructor(
    private readonly encoder: ReviewEncoder,
    private readonly network: Network,
    private readonly calibration: Calibration,
    private readonly backward: boolean,
  ) {}

  static async load({ config, weights, counts, tables }: ModelFiles): Promise<Predictor> {
    const network = await Network.load(config.model, readSafetensors(weights));
    const encoder = new ReviewEncoder(config.text, counts, tables);
    return new Predictor(encoder, network, config.calibration, config.text.direction === "backward");
  }

  predict(texts: string[]): Prediction[] {
    const encoded = texts.map((text) => this.encode(text, this.encoder.tokenize(text)));
    const logits = this.network.logits(encoded.map(({ ids }) => ids));
    return encoded.map((review, index) => predictionOf(review, logits[index], this.calibration));
  }

  read(text: string): Reading {
    const { tokens: all, offsets } = this.encoder.tokenizeWithOffsets(text);
    const encoded = this.encode(text, all);
    const { logits, layers } = this.network.read(encoded.ids);
    const logit = encoded.ids.length ? logits[logits.length - 1] : this.network.logits([encoded.ids])[0];
    const offsetsRead = this.encoder.tokensRead(offsets);
    const degree = temperature(this.calibration, encoded.tokens);
    return {
      text,
      prediction: predictionOf(encoded, logit, this.calibration),
      tokens: this.encoder.tokensRead(all),
      offsets: offsetsRead,
      words: wordsOf(offsetsRead, this.backward),
      known: Array.from(encoded.ids, (id) => id !== UNKNOWN_ID),
      backward: this.backward,
      logit,
      running: Array.from(logits, (value) => probability(value, degree)),
      layers,
      confidentFrom: confidentFrom(this.calibration),
    };
  }

  /**
   * What the words from `first` on add to the logit, some at a time: the logit with each, minus that without it.
   *
   * It yields in between, like `Network.logitsWithout`.
   */
  *contributions({ tokens, words, logit }: Reading, first: number): Generator<void, Float32Array> {
    const ids = this.encoder.encode(this.backward ? [...tokens].reverse() : tokens);
    const without = yield* this.network.logitsWithout(ids, words.slice(first, first + Network.LEFT_OUT));
    return without.map((value) => logit - value);
  }

  private encode(text: string, tokens: string[]): Encoded {
    const ids = this.encoder.encode(tokens);
    return { ids, tokens: tokens.length, reason: reasonOf(text, this.encoder.tokensRead(tokens), ids) };
  }
}

/** Words as they were typed: a token whose place in the text is empty belongs to the one that is typed before it. */
function wordsOf(offsets: [number, number][], backward: boolean): [number, number][] {
  const words: [number, number][] = [];
  const empty = offsets.map(([start, end]) => start === end);
  for (let place = 0; place < offsets.length; place++) {
    const goesOn = backward ? empty[place - 1] : empty[place];
    if (goesOn && words.length) words[words.length - 1][1] = place + 1;
    else words.push([place, place + 1]);
  }
  return words;
}
