// The arithmetic of the network, four numbers at a time: AssemblyScript, which becomes WebAssembly with SIMD.
//
// All arguments are addresses of float32 numbers in the memory of the module, and sizes. Sizes of layers are padded to
// multiples of four by the caller, those of columns to multiples of `PANEL`.

/** Columns that are computed together, in two vectors. */
export const PANEL: i32 = 8;

/**
 * `outputs = inputs · weights + bias`, each row after the other.
 *
 * @param inputs [rows, inner]
 * @param weights in panels, [columns / 8, inner, 8]: a panel stays in the nearest cache for all rows
 * @param bias [columns]
 * @param outputs [rows, columns]
 */
export function linear(
  inputs: usize, weights: usize, bias: usize, outputs: usize, rows: i32, inner: i32, columns: i32,
): void {
  const width = <usize>inner << 2, outputWidth = <usize>columns << 2;
  for (let column = 0; column < columns; column += PANEL) {
    const panel = weights + (<usize>(column * inner) << 2);
    const first = v128.load(bias + (<usize>column << 2)), second = v128.load(bias + (<usize>column << 2), 16);
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      let in0 = inputs + <usize>row * width, in1 = in0 + width, in2 = in1 + width, in3 = in2 + width;
      let a0 = first, b0 = second, a1 = first, b1 = second, a2 = first, b2 = second, a3 = first, b3 = second;
      let weight = panel;
      for (let k = 0; k < inner; k++) {
        const w0 = v128.load(weight), w1 = v128.load(weight, 16);
        const x0 = v128.load32_splat(in0), x1 = v128.load32_splat(in1);
        const x2 = v128.load32_splat(in2), x3 = v128.load32_splat(in3);
        a0 = f32x4.add(a0, f32x4.mul(x0, w0));
        b0 = f32x4.add(b0, f32x4.mul(x0, w1));
        a1 = f32x4.add(a1, f32x4.mul(x1, w0));
        b1 = f32x4.add(b1, f32x4.mul(x1, w1));
        a2 = f32x4.add(a2, f32x4.mul(x2, w0));
        b2 = f32x4.add(b2, f32x4.mul(x2, w1));
        a3 = f32x4.add(a3, f32x4.mul(x3, w0));
        b3 = f32x4.add(b3, f32x4.mul(x3, w1));
        weight += 32;
        in0 += 4;
        in1 += 4;
        in2 += 4;
        in3 += 4;
      }
      let output = outputs + <usize>row * outputWidth + (<usize>column << 2);
      v128.store(output, a0);
      v128.store(output, b0, 16);
      output += outputWidth;
      v128.store(output, a1);
      v128.store(output, b1, 16);
      output += outputWidth;
      v128.store(output, a2);
      v128.store(output, b2, 16);
      output += outputWidth;
      v128.store(output, a3);
      v128.store(output, b3, 16);
    }
    for (; row < rows; row++) {
      let input = inputs + <usize>row * width, weight = panel;
      let a = first, b = second;
      for (let k = 0; k < inner; k++) {
        const x = v128.load32_splat(input);
        a = f32x4.add(a, f32x4.mul(x, v128.load(weight)));
        b = f32x4.add(b, f32x4.mul(x, v128.load(weight, 16)));
        weight += 32;
        input += 4;
      }
      const output = outputs + <usize>row * outputWidth + (<usize>column << 2);
      v128.store(output, a);
      v128.store(output, b, 16);
    }
  }
}

/**
 * One step of a layer for some rows: the gates get their sigmoid or tanh, then both memories change.
 *
 * @param gates [rows, 4 · hidden] before, and after the activations; in torch's order: input, forget, candidate, output
 * @param long [rows, hidden]: the long-term memory, changed in place
 * @param short [rows, hidden] at `shortStride` bytes from row to row: gets the short-term memory
 * @param above the same for the input of the layer above, at `aboveStride`
 */
export function step(
  gates: usize, long: usize, short: usize, above: usize, rows: i32, hidden: i32, shortStride: usize, aboveStride: usize,
): void {
  const size = <usize>hidden << 2;
  for (let row = 0; row < rows; row++) {
    for (let place: usize = 0; place < size; place += 16) {
      const gate = gates + place;
      const added = sigmoid(v128.load(gate)), kept = sigmoid(v128.load(gate + size));
      const candidate = tanh(v128.load(gate + 2 * size)), shown = sigmoid(v128.load(gate + 3 * size));
      v128.store(gate, added);
      v128.store(gate + size, kept);
      v128.store(gate + 2 * size, candidate);
      v128.store(gate + 3 * size, shown);
      const memory = f32x4.add(f32x4.mul(kept, v128.load(long + place)), f32x4.mul(added, candidate));
      const output = f32x4.mul(shown, tanh(memory));
      v128.store(long + place, memory);
      v128.store(short + place, output);
      v128.store(above + place, output);
    }
    gates += 4 * size;
    long += size;
    short += shortStride;
    above += aboveStride;
  }
}

/** Adds outputs to their running maximum and sum; all [rows, hidden]. */
export function pool(outputs: usize, largest: usize, sum: usize, rows: i32, hidden: i32): void {
  const size = <usize>(rows * hidden) << 2;
  for (let place: usize = 0; place < size; place += 16) {
    const output = v128.load(outputs + place);
    v128.store(largest + place, f32x4.max(v128.load(largest + place), output));
    v128.store(sum + place, f32x4.add(v128.load(sum + place), output));
  }
}

// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
function tanh(x: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.splat(2), sigmoid(f32x4.add(x, x))), f32x4.splat(1));
}

/** e to the power of x, to seven digits: a power of two times a polynomial of what is left. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  const inside = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  const whole = f32x4.nearest(f32x4.mul(inside, f32x4.splat(1.44269504)));
  // ln 2 in two parts, so that the difference is exact
  let rest = f32x4.sub(inside, f32x4.mul(whole, f32x4.splat(0.693359375)));
  rest = f32x4.sub(rest, f32x4.mul(whole, f32x4.splat(-2.12194440e-4)));
  let power = f32x4.splat(1 / 5040);  // Taylor's coefficients; |rest| is at most ln(2) / 2
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1 / 720));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1 / 120));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1 / 24));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1 / 6));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1 / 2));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1));
  power = f32x4.add(f32x4.mul(power, rest), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23);
  return f32x4.mul(power, exponent);
}
