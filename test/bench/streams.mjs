// The least memory of networks with stages that are streamed into one another: `node test/bench/streams.mjs [--models
// REGEXP]`; the committed table is test/bench/streams.md.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({ options: { models: { type: 'string', default: '' } } });
const bundle = await bundleTests('streams', [], {
  stdin: { contents: "export * from './test/bench/streams';", resolveDir: projectRoot, loader: 'js' },
});
const { writeStreams } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
writeStreams(new RegExp(values.models), (line) => console.log(line));
