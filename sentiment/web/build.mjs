// Builds the page into built/: the arithmetic with AssemblyScript, the rest with esbuild. `make web` runs it.
import { main as assemblyscript } from "assemblyscript/asc";
import { build } from "esbuild";
import { mkdir } from "node:fs/promises";

await mkdir("built", { recursive: true });
const { error, stderr } = await assemblyscript([
  "source/kernel/kernel.ts",
  "--outFile",
  "source/kernel/kernel.wasm",
  "-O3",
  "--enable",
  "simd",
  "--runtime",
  "stub",
  "--noAssert",
]);
if (error) throw new Error(stderr.toString());
await build({
  entryPoints: ["source/app.ts", "source/worker.ts"],
  outdir: "built",
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  format: "iife",
  loader: { ".wasm": "binary" },
});
