// Compiles kernels.ts to WebAssembly and writes it as ../module.ts, so that bundlers and tests need no compiler: `npm run kernels`.
import asc from 'assemblyscript/asc';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = import.meta.dirname;

/** Text of ../module.ts. @returns {Promise<string>} */
export async function compileKernels() {
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(['kernels.ts', '--outFile', 'kernels.wasm', '--runtime', 'stub', '--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert', '--enable', 'simd'], {
    readFile: (name, base) => {
      try {
        return readFileSync(path.resolve(base === '.' ? folder : base, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => { binary = contents; },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`AssemblyScript: ${error?.message ?? 'no module'}\n${stderr.toString()}`);
  const text = Buffer.from(binary).toString('base64').replace(/.{1,160}/g, "  '$&',\n");
  return `/** Written by \`npm run kernels\` from assembly/kernels.ts; a test compares the two. A WebAssembly module in base 64. */\nexport const moduleText = [\n${text}].join('');\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path.join(folder, '../module.ts'), await compileKernels());
