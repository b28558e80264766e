import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { floatOutputs, type FloatResult } from '../../../src/engine/calibration/float';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples, type SampleSet } from '../../../src/engine/calibration/samples';
import { silentProgress } from '../../../src/engine/common/progress';
import { proposeHead } from '../../../src/engine/detection/presets';
import { resolveHead, type ResolvedHead } from '../../../src/engine/detection/resolve';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { withKnownBoxes } from '../../../src/engine/run/knownBoxes';
import { lossOf, type OutputLoss } from '../../../src/engine/vdqs/loss';
import { discModel, writeDiscImages } from '../../support/discDetector';
import { scratchForAll } from '../../support/scratch';

const IMAGES = 16;

describe('budget of a detector', function () {
  this.timeout(60_000);
  const preprocess = presetPreprocess('stretch');
  const folder = scratchForAll('budget');
  let graph: Graph;
  let head: ResolvedHead;
  let plain: OutputLoss;
  let samples: SampleSet;
  const images: FloatResult[] = [];

  before(async () => {
    const model = path.join(folder, 'discs.onnx');
    writeFileSync(model, discModel());
    writeDiscImages(path.join(folder, 'images'), IMAGES);
    graph = await importModel(model);
    head = resolveHead(graph, proposeHead(graph, 'discs.onnx')!, 'discs.onnx');
    plain = lossOf(graph, 'detect', head);
    samples = await listSamples(path.join(folder, 'images'), graph, 0);
    for await (const result of floatOutputs(graph, model, samples, preprocess, silentProgress, []))
      images.push({ ...result, outputs: result.outputs.map((o) => o.slice()) });
  });

  const float = (): readonly (readonly Float32Array[])[] => images.map((i) => i.outputs);
  /** Finds nothing on every second image: scores far below any threshold. */
  const blind = (): Float32Array[][] =>
    float().map((outputs, i) =>
      outputs.map((o, k) => (i % 2 === 0 && graph.outputs[k].name === 'hm' ? o.map(() => -9) : o.slice())),
    );

  it('is foreseen the larger, the further scores move, before any box comes or goes', () => {
    const lowered = (by: number): Float32Array[][] =>
      float().map((outputs) =>
        outputs.map((o, k) => (graph.outputs[k].name === 'hm' ? o.map((v) => v - by) : o.slice())),
      );
    const losses = [0, 0.01, 0.03, 0.1, 0.3, 1, 3].map((by) => plain.expected(float(), lowered(by)));
    assert.equal(losses[0], 0);
    losses.slice(1).forEach((loss, i) => assert.ok(loss > losses[i], losses.join()));
    // Hardly anything moved: no box that is near the score may cost a point.
    assert.ok(losses[1] < 0.05, losses.join());
  });

  it('counts lost average precision the more, the more images have known boxes', async () => {
    const { loss: known, note } = await withKnownBoxes(plain, head, preprocess, samples, images);
    assert.match(note, /known boxes of 16 sample images/);
    assert.equal(known.unit, plain.unit);
    assert.equal(known.expected(float(), float()), 0);
    const foreseen = plain.expected(float(), blind());
    const lost = (known.expected(float(), blind()) * (IMAGES + 200) - 200 * foreseen) / IMAGES;
    // Half of the images find nothing; of the discs on the others hardly one is missed.
    assert.ok(lost > 25 && lost < 75, String(lost));
  });

  it('says that it has the outputs alone where no boxes are known', async () => {
    for (const file of readdirSync(samples.path)) if (file.endsWith('.txt')) rmSync(path.join(samples.path, file));
    const { loss: unknown, note } = await withKnownBoxes(plain, head, preprocess, samples, images);
    assert.match(note, /No boxes are known/);
    assert.equal(unknown.expected(float(), blind()), plain.expected(float(), blind()));
  });
});
