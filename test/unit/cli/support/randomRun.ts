import { OnnxBuilder } from '../../../support/onnxBuilder';
import { randomArray, randomNumbers } from '../../../support/onnxOracle';

export type Options = Record<string, string | boolean>;

/** A small network on 16×16 images and options to quantize it with, the same for the same seed. */
export interface RandomRun {
  readonly model: OnnxBuilder;
  readonly options: Options;
}

export function randomRun(seed: number): RandomRun {
  const random = randomNumbers(seed * 7919 + 1);
  const pick = <T>(...of: readonly T[]): T => of[Math.min(of.length - 1, Math.floor(((random() + 1) / 2) * of.length))];
  return { model: randomModel(random, pick), options: randomOptions(pick) };
}

type Pick = <T>(...of: readonly T[]) => T;

function randomModel(random: () => number, pick: Pick): OnnxBuilder {
  const m = new OnnxBuilder(14);
  const weights = (...dims: number[]): string => {
    const count = dims.reduce((product, d) => product * d, 1);
    return m.floats(dims, randomArray(count, random, 1.7 / Math.sqrt(count / dims[0])));
  };
  let c = pick(1, 3, 3);
  let x = m.input('x', [1, c, 16, 16]);
  for (let i = pick(1, 2, 3, 4); i > 0; i--) {
    const pads = [1, 1, 1, 1];
    const next = pick(4, 6, 8, 16);
    const wide = m.node('Conv', [x, weights(next, c, 3, 3), weights(next)], { pads, strides: pick([1, 1], [2, 2]) });
    x = m.node(pick('Relu', 'Relu', 'LeakyRelu', 'HardSwish'), [wide]);
    c = next;
    if (pick(false, true)) x = m.node('Relu', [m.node('Conv', [x, weights(c, 1, 3, 3)], { pads, group: c })], {});
    if (pick(false, false, true)) x = m.node('Add', [x, m.node('Conv', [x, weights(c, c, 1, 1)])]);
  }
  const end = pick('classes', 'classes', 'softmax', 'map', 'binary');
  if (end === 'map') return m.output(m.node('Conv', [x, weights(3, c, 1, 1)]));
  const pooled = m.node('Flatten', [m.node('GlobalAveragePool', [x])]);
  const scores = m.node('Gemm', [pooled, weights(end === 'binary' ? 1 : 5, c)], { transB: 1 });
  if (end === 'softmax') return m.output(m.node('Softmax', [scores]));
  return m.output(end === 'binary' ? m.node('Sigmoid', [scores]) : scores);
}

function randomOptions(pick: Pick): Options {
  const target = pick<Options>(
    { target: 'nano33ble' },
    { target: 'stm32h743' },
    { target: 'nano33ble', sram: pick('12K', '8K', '5K') },
    { target: 'stm32f411', flash: pick('64K', '32K'), 'flash-reserve': pick('10%', '4K', '0') },
    { target: 'custom', sram: '24K', flash: '96K', core: 'cortex-m4' },
    { target: 'custom', sram: '64K', flash: '1M', core: 'cortex-m0plus' },
  );
  const search = pick<Options>(
    {},
    {},
    { 'accuracy-budget': pick('0', '3', '20') },
    { 'bitops-target': pick('1.5', '2.2', '6') },
    { search: 'entropy' },
    { lambda: pick('0', '1') },
    { objective: pick('bitops', 'sram', 'flash') },
    target.target === 'custom' ? {} : { 'latency-budget': pick('0.01', '1', '100') },
  );
  return {
    ...target,
    ...search,
    grid: pick('auto', 'none', '2x2', '3x2'),
    bits: pick('8', '8,4', '8,4,2', '16,8', '16,8,4'),
    weights: pick('8', '4', 'auto', 'auto'),
    optimize: pick('size', 'balanced', 'speed'),
    classes: pick('static', 'static', 'runtime'),
    input: pick('counted', 'counted', 'external'),
    preprocess: pick('unit', 'tf'),
    'no-cache': true,
    'no-compensate': true,
  };
}
