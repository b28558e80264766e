/* Boxes of every family as they were published, by the float decode and by the firmware's integers. */
import assert from 'node:assert/strict';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { decodeHead } from '../../../src/engine/detection/decode';
import { headPreset } from '../../../src/engine/detection/presets';
import { resolveHead } from '../../../src/engine/detection/resolve';
import { detect } from '../../../src/engine/program/detection/decode';
import { lowerHead } from '../../../src/engine/program/detection/lowerHead';
import type { IntegerBox } from '../../../src/engine/program/detection/types';
import type { Program } from '../../../src/engine/program/types';
import { mulberry32 } from '../../support/graphBuilder';
import { families, headGraph, type HeadCase } from '../../support/headFamilies';
import type { PublishedHead, PublishedObject } from '../../support/publishedForms';
import { publishedHeads } from '../../support/publishedHeads';

const OBJECTS = 60;
/** Of the firmware: pixels, and share of the box where sizes are exponentials by table. */
const PIXELS = 0.3;
const SHARE = 0.004;

/** A program of outputs only, whose codes are the values over a scale. */
function programOf({ outputs }: HeadCase, scales: readonly number[]): Program {
  return {
    name: 'm',
    buffers: outputs.map(([, h, w, c], id) => ({ id, bits: 8, signed: true, bytes: h * w * c, offset: 0 })),
    outputs: outputs.map(([name, h, w, c], i) => ({
      ...{ buffer: i, name, shape: { h, w, c }, signed: true },
      ...{ scales: [scales[i]], zeroPoints: [0] },
    })),
    inputs: [],
  } as unknown as Program;
}

/** Codes of an image with one object, and what is published of its values. */
function drawn(
  { outputs }: HeadCase,
  { scales, quiet, object }: PublishedHead,
  random: () => number,
): { codes: Int8Array[]; object: PublishedObject } {
  const codeOf = (output: number, value: number): number => {
    const code = Math.round(value / scales[output]);
    assert.ok(Math.abs(code) <= 127, `${value} has no code at ${scales[output]}`);
    return code;
  };
  const codes = outputs.map(([, h, w, c], o) =>
    Int8Array.from({ length: h * w * c }, (_, i) => codeOf(o, quiet(o, i % c))),
  );
  const found = object(
    (output, low, high) => codeOf(output, low + (high - low) * random()) * scales[output],
    (count) => Math.floor(random() * count),
  );
  for (const [output, element, value] of found.values) codes[output][element] = codeOf(output, value);
  return { codes, object: found };
}

/** Boxes of the firmware, in 1/16 pixel, end at the image's border. */
function checkInteger(found: readonly IntegerBox[], { width, height }: HeadCase, object: PublishedObject): void {
  assert.equal(found.length, 1);
  const [{ x1, y1, x2, y2, points, label, score }] = found;
  assert.equal(label, object.label);
  assert.ok(Math.abs(score / 32768 - object.score) < 0.004, `score ${score / 32768}, published ${object.score}`);
  const [left, top, right, bottom] = object.box;
  const extent = Math.max(right - left, bottom - top);
  const wanted = [...object.box, ...object.points];
  [x1, y1, x2, y2, ...points].forEach((v, k) => {
    const inside = Math.min(Math.max(wanted[k], 0), k % 2 === 0 ? width : height);
    const off = Math.abs(v / 16 - inside);
    assert.ok(off < PIXELS + SHARE * extent, `${k}: ${v / 16}, published ${inside}, extent ${extent}`);
  });
}

describe('decoded boxes', () => {
  const known = new Map(publishedHeads.map((p) => [p.head, p]));
  it('are checked for every family', () => {
    assert.deepEqual([...known.keys()].sort(), families.map((f) => f.head).sort());
  });

  for (const [index, family] of families.entries())
    it(`of ${family.head} are where and how likely the publication says`, () => {
      const published = known.get(family.head)!;
      const graph = headGraph(family);
      const resolved = resolveHead(graph, headPreset(graph, family.head, 'model.onnx'), 'model.onnx');
      const integer = lowerHead(programOf(family, published.scales), resolved, presetPreprocess('stretch'));
      const generator = mulberry32(77 + index);
      const random = (): number => (generator() + 1) / 2;
      for (let n = 0; n < OBJECTS; n++) {
        const { codes, object } = drawn(family, published, random);
        const values = codes.map((list, o) => Float32Array.from(list, (code) => code * published.scales[o]));
        const found = decodeHead(resolved, values);
        assert.equal(found.length, 1, `object ${n}: ${found.length} boxes`);
        const [box] = found;
        const corners = [box.x1, box.y1, box.x2, box.y2, ...(box.points ?? [])];
        const wanted = [...object.box, ...object.points];
        assert.equal(box.label, object.label);
        assert.ok(Math.abs(box.score - object.score) < 1e-5, `score ${box.score}, published ${object.score}`);
        assert.equal(corners.length, wanted.length);
        corners.forEach((v, k) =>
          assert.ok(Math.abs(v - wanted[k]) < 1e-3 + 1e-6 * Math.abs(wanted[k]), `${k}: ${v}, published ${wanted[k]}`),
        );
        checkInteger(
          detect(
            integer,
            codes.map((c) => new Uint8Array(c.buffer)),
          ),
          family,
          object,
        );
      }
    });
});
