// A histogram of probabilities, as SVG.

import { isPositive } from "../model/prediction.ts";
import { count as thousands, h, svg } from "./dom.ts";

const BARS = 20,
  WIDTH = 600,
  HEIGHT = 160;

export function histogram(probabilities: number[]): HTMLElement {
  const counts = new Array<number>(BARS).fill(0);
  for (const probability of probabilities) counts[Math.min(BARS - 1, Math.floor(probability * BARS))]++;
  const most = Math.max(...counts),
    wide = WIDTH / BARS;
  const bars = counts.map((count, bar) => {
    const height = most ? (count / most) * HEIGHT : 0;
    const from = Math.round((100 * bar) / BARS),
      to = Math.round((100 * (bar + 1)) / BARS);
    const side = isPositive((bar + 0.5) / BARS) ? "positive" : "negative";
    return svg(
      "rect",
      { x: bar * wide + 1, width: wide - 2, y: HEIGHT - height, height, class: side },
      svg("title", {}, `${from} to ${to}%: ${thousands(count)}`),
    );
  });
  const inWords = [0, 5, 10, 15].map((start) => {
    const sum = counts.slice(start, start + 5).reduce((all, count) => all + count, 0);
    return `${start * 5} to ${start * 5 + 25}%: ${thousands(sum)}`;
  });
  return h(
    "figure",
    { class: "histogram" },
    svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "img",
        "aria-label": `Reviews by probability of positive. ${inWords.join(", ")}.`,
      },
      ...bars,
    ),
    h(
      "figcaption",
      {},
      h("span", {}, "confidently negative"),
      h("span", {}, "confidently positive"),
      h("span", {}, `highest bar: ${thousands(most)}`),
    ),
  );
}
