// Writes ThirdPartyNotices.txt, which ships: the license of every package that is bundled into dist/ or shipped beside
// it, as their files have it. `node notices.mjs` after a build (`node esbuild.mjs` leaves out/bundled.json, the files
// that went into the bundles).
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = import.meta.dirname;
const read = (...parts) => readFileSync(path.join(root, ...parts), 'utf8');

/** Names of the packages whose files are in the bundles. @param {string[]} files */
export function packagesOf(files) {
  const names = files.map(
    (file) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll('\\', '/'))?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

function licenseOf(name) {
  const folder = path.join(root, 'node_modules', name);
  // The package of onnxruntime has no license file; these are those of its release.
  if (/^onnxruntime-/.test(name))
    return [
      read('third_party/onnxruntime/LICENSE'),
      ...(name === 'onnxruntime-node' ? [read('third_party/onnxruntime/ThirdPartyNotices.txt')] : []),
    ];
  // Nor has the package of libjpeg-turbo.
  if (name === '@cornerstonejs/codec-libjpeg-turbo-8bit') return [read('third_party/libjpeg-turbo/LICENSE')];
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  if (files.length > 0) return files.map((file) => readFileSync(path.join(folder, file), 'utf8'));
  const { license, author } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const readme = readdirSync(folder).find((file) => /^readme/i.test(file));
  const section = readme && /^#+ *licen[cs]e\b[\s\S]*$/im.exec(readFileSync(path.join(folder, readme), 'utf8'))?.[0];
  const holder = typeof author === 'string' ? author : author?.name;
  // Its own words where the package has none: the holder that it names, under the text of the license that it names.
  if (!section && license === 'MIT' && holder)
    return [read('third_party/onnxruntime/LICENSE').replace('Microsoft Corporation', holder)];
  if (!section && license === 'ISC' && holder) return [read('third_party/isc/LICENSE').replace('HOLDER', holder)];
  if (!section) throw new Error(`${name} (${license}) has no license text.`);
  return [section];
}

export function notices() {
  const listed = path.join(root, 'out/bundled.json');
  if (!existsSync(listed)) throw new Error('Build first: node esbuild.mjs');
  const names = [...packagesOf(JSON.parse(readFileSync(listed, 'utf8'))), 'onnxruntime-common', 'onnxruntime-node'];
  const entries = names.map((name) => {
    const { version, license, homepage } = JSON.parse(read('node_modules', name, 'package.json'));
    const texts = licenseOf(name).map((text) => text.replace(/\r\n/g, '\n').trim());
    return (
      `${'='.repeat(80)}\n${name} ${version}\nLicense: ` +
      `${license}${homepage ? `\n${homepage}` : ''}\n${'='.repeat(80)}\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
    );
  });
  return (
    'QuantMCU contains or comes with software of others, under these ' +
    `licenses.\n\n${names.map((name) => `- ${name}`).join('\n')}\n\n${entries.join('\n')}`
  );
}

if (process.argv[1] === import.meta.filename) writeFileSync(path.join(root, 'ThirdPartyNotices.txt'), notices());
