// The page's layout of graphs beside two libraries: time, size of the drawing, crossings.
//
//     npm install --prefix FOLDER elkjs @dagrejs/dagre && node test/bench/layouts.mjs --libraries FOLDER
//
// writes test/bench/layouts.md
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { leadOf } from './lead.mjs';

const { values } = parseArgs({ options: { libraries: { type: 'string' } } });
if (!values.libraries)
  throw new Error('Give the folder in which elkjs and @dagrejs/dagre are installed: --libraries FOLDER');
const libraries = createRequire(path.resolve(values.libraries, 'package.json'));
const ELK = libraries('elkjs/lib/elk.bundled.js');
const dagre = libraries('@dagrejs/dagre');
const bundle = await bundleTests('bench-layouts', [], {
  stdin: {
    contents:
      "export * from './src/worker/layout/layered'; export { branchedView, chainView } from " +
      "'./test/support/webviewHarness/samples';",
    resolveDir: projectRoot,
    loader: 'js',
  },
});
const { layoutLayered, branchedView, chainView } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

const size = { across: 176, along: 44, gapAcross: 26, gapAlong: 32 };
const inputsOf = ({ model }) => model.layers.map((layer) => [...new Set(layer.inputs)]);
/** A chain of layers with skips to random earlier ones. */
function random(count) {
  let state = 7;
  const next = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  return Array.from({ length: count }, (_, i) =>
    i === 0
      ? []
      : [
          ...new Set([
            Math.max(0, i - 1 - Math.floor(next() * 3)),
            ...(next() < 0.25 ? [Math.max(0, i - 1 - Math.floor(next() * 14))] : []),
          ]),
        ],
  );
}

/** Crossings of straight pieces, each [x0, y0, x1, y1] with y0 ≤ y1. */
function crossings(pieces) {
  const sorted = [...pieces].sort((a, b) => a[1] - b[1]);
  let active = [];
  let count = 0;
  const at = ([x0, y0, x1, y1], y) => x0 + ((x1 - x0) * (y - y0)) / (y1 - y0 || 1);
  for (const piece of sorted) {
    active = active.filter((other) => other[3] > piece[1]);
    for (const other of active) {
      const [low, high] = [Math.max(other[1], piece[1]), Math.min(other[3], piece[3])];
      if (high <= low) continue;
      const [d0, d1] = [at(other, low) - at(piece, low), at(other, high) - at(piece, high)];
      if (d0 * d1 < 0 && Math.abs(d0) > 0.5 && Math.abs(d1) > 0.5) count++;
    }
    active.push(piece);
  }
  return count;
}

const upright = (points) =>
  points
    .slice(1)
    .map((b, i) => (points[i].y <= b.y ? [points[i].x, points[i].y, b.x, b.y] : [b.x, b.y, points[i].x, points[i].y]));
const layouts = {
  own: (inputs) => {
    const { min, max, ranks, pieces } = layoutLayered({ inputs, ...size });
    return {
      width: max - min,
      height: ranks.length * 76,
      pieces: pieces.flatMap((all, r) => all.map((p) => [p.start, r * 76 + 22, p.end, (r + 1) * 76 - 22])),
    };
  },
  elkjs: async (inputs) => {
    const result = await new ELK().layout({
      id: 'root',
      layoutOptions: {
        'elk.algorithm': 'layered',
        'elk.direction': 'DOWN',
        'elk.edgeRouting': 'POLYLINE',
        'elk.layered.spacing.nodeNodeBetweenLayers': '32',
        'elk.spacing.nodeNode': '26',
      },
      children: inputs.map((_, i) => ({ id: `n${i}`, width: size.across, height: size.along })),
      edges: inputs.flatMap((from, i) =>
        from.map((k) => ({ id: `e${i}_${k}`, sources: [`n${k}`], targets: [`n${i}`] })),
      ),
    });
    return {
      width: result.width,
      height: result.height,
      pieces: result.edges.flatMap((edge) =>
        edge.sections.flatMap((s) => upright([s.startPoint, ...(s.bendPoints ?? []), s.endPoint])),
      ),
    };
  },
  dagre: (inputs) => {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ ranksep: size.gapAlong, nodesep: size.gapAcross });
    graph.setDefaultEdgeLabel(() => ({}));
    inputs.forEach((_, i) => graph.setNode(String(i), { width: size.across, height: size.along }));
    inputs.forEach((from, i) => from.forEach((k) => graph.setEdge(String(k), String(i))));
    dagre.layout(graph);
    return {
      width: graph.graph().width,
      height: graph.graph().height,
      pieces: graph.edges().flatMap((edge) => upright(graph.edge(edge).points)),
    };
  },
};

const rows = [];
for (const [name, inputs] of [
  ['chain with skips', inputsOf(chainView(3000))],
  ['blocks of branches', inputsOf(branchedView(9))],
  ['blocks of branches', inputsOf(branchedView(100))],
  ['random skips', random(300)],
]) {
  for (const [library, layout] of Object.entries(layouts)) {
    const begin = performance.now();
    try {
      const { width, height, pieces } = await layout(inputs);
      rows.push([
        name,
        inputs.length,
        library,
        (performance.now() - begin).toFixed(0),
        width.toFixed(0),
        height.toFixed(0),
        crossings(pieces),
      ]);
    } catch (error) {
      rows.push([name, inputs.length, library, String(error).split('\n')[0].slice(0, 60), '–', '–', '–']);
    }
    console.log(rows[rows.length - 1].join('  '));
  }
}
const line = (cells) => `| ${cells.join(' | ')} |`;
const head = ['graph', 'layers', 'layout', 'ms', 'width', 'height', 'crossings'];
writeFileSync(
  path.join(projectRoot, 'test/bench/layouts.md'),
  `# Layouts of graphs

${leadOf('layouts.md')}

\`node test/bench/layouts.mjs --libraries FOLDER\`: the page's own layered layout (Sugiyama's steps, coordinates
after Brandes and Köpf, a straight trunk) beside elkjs ${libraries('elkjs/package.json').version} and @dagrejs/dagre
${libraries('@dagrejs/dagre/package.json').version}, nodes of 176 × 44, on a computer that had other work, too: the
times compare only with each other. The own one stays: a drawing of 3000 layers has to be there within 5 s, which
neither library reaches with certainty, and elkjs weighs 1.5 MB.

${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}
`,
);
