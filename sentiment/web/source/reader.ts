// The page's side of the worker that reads what is typed.

import type { Reading } from "./model/predictor.ts";
import type { ToWorker, FromWorker } from "./worker.ts";

/** Gets what some words add to the logit, from the word `first` on. */
type OnContributions = (first: number, values: Float32Array) => void;

interface Waiting {
  id: number;
  resolve: (reading: Reading) => void;
  reject: (error: Error) => void;
  onContributions?: OnContributions;
}

export class Reader {
  private newest: Waiting | null = null;

  /** @param worker a worker that has loaded the model */
  constructor(private readonly worker: Worker) {
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (!this.newest || !("id" in data) || data.id !== this.newest.id) return;
      if (data.kind === "reading") this.newest.resolve(data.reading);
      else if (data.kind === "failed") this.newest.reject(new Error(data.message));
      else if (data.kind === "contributions") this.newest.onContributions?.(data.first, data.values);
    });
  }

  /**
   * Reads a text. If another one comes before it is read, the answer never comes.
   *
   * @param onContributions gets what each word adds, some at a time, after the answer; without it, that is left out
   */
  read(text: string, onContributions?: OnContributions): Promise<Reading> {
    const id = (this.newest?.id ?? 0) + 1;
    const request: ToWorker = { kind: "read", id, text, contributions: onContributions !== undefined };
    this.worker.postMessage(request);
    return new Promise((resolve, reject) => {
      this.newest = { id, resolve, reject, onContributions };
    });
  }
}
