// The page's side of the worker that reads what is typed.

import type { Reading } from "./model/predictor.ts";
import type { Request, Response } from "./worker.ts";

/** Gets what some tokens add to the logit, from a place on. */
export type OnContributions = (first: number, values: Float32Array) => void;

interface Waiting {
  id: number;
  resolve: (reading: Reading) => void;
  onContributions?: OnContributions;
}

export class Reader {
  private newest: Waiting | null = null;

  /** @param worker a worker that has loaded the model */
  constructor(private readonly worker: Worker) {
    worker.addEventListener("message", ({ data }: MessageEvent<Response>) => {
      if (!this.newest || !("id" in data) || data.id !== this.newest.id) return;
      if (data.kind === "reading") this.newest.resolve(data.reading);
      else this.newest.onContributions?.(data.first, data.values);
    });
  }

  /**
   * Reads a text. If another one comes before it is read, the answer never comes.
   *
   * @param onContributions gets what each token adds, some at a time, after the answer; without it, that is left out
   */
  read(text: string, onContributions?: OnContributions): Promise<Reading> {
    const id = (this.newest?.id ?? 0) + 1;
    const request: Request = { kind: "read", id, text, contributions: onContributions !== undefined };
    this.worker.postMessage(request);
    return new Promise((resolve) => {
      this.newest = { id, resolve, onContributions };
    });
  }
}
