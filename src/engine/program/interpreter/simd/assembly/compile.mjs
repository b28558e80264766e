// Compiles AssemblyScript to WebAssembly and writes it as ../module.ts beside its folder, so that bundlers and tests
// need no compiler: `npm run kernels`.
import asc from 'assemblyscript/asc';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const engine = path.join(import.meta.dirname, '../../../..');
/** The sources, relative to src/engine. */
export const sources = ['program/interpreter/simd/assembly/kernels.ts', 'compensate/simd/assembly/algebra.ts'];

/** Text of the module.ts that belongs to a source. @param {string} source @returns {Promise<string>} */
export async function compileSource(source) {
  const folder = path.join(engine, path.dirname(source));
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(
    [
      path.basename(source),
      '--outFile',
      'module.wasm',
      '--runtime',
      'stub',
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--noAssert',
      '--enable',
      'simd',
    ],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(path.resolve(base === '.' ? folder : base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`AssemblyScript: ${error?.message ?? 'no module'}\n${stderr.toString()}`);
  const text = Buffer.from(binary)
    .toString('base64')
    .replace(/.{1,112}/g, "  '$&',\n");
  return (
    `/** Written by \`npm run kernels\` from assembly/${path.basename(source)}; a test compares the two. ` +
    `WebAssembly in base 64. */\nexport const moduleText = [\n${text}].join('');\n`
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const source of sources)
    writeFileSync(path.join(engine, path.dirname(source), '../module.ts'), await compileSource(source));
}
