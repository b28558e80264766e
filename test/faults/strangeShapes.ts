import { OnnxBuilder, ProtoWriter, type OnnxType } from '../support/onnxBuilder';
import type { HostileModel } from './hostileModels';
import { model, weights, conv, pooled, withSubgraphs, opsets, transformer } from './strangeParts';

/** Shapes and types that cannot be, or that no kernel takes. */
export function shapesAndTypes(): HostileModel[] {
  const typed = (type: OnnxType): Buffer =>
    model(
      (m, x) => m.node('GlobalAveragePool', [m.node('Conv', [x, weights(m, [4, 3, 1, 1], type)])]),
      [1, 3, 16, 16],
      type,
    );
  return [
    { name: 'input of 2^63 rows', content: model(pooled, [1, 3, 2 ** 63, 16]), expect: 'refused' },
    { name: 'input of 2^62 rows', content: model(pooled, [1, 3, 2 ** 62, 2 ** 62]), expect: 'refused' },
    { name: 'input of no rows', content: model(pooled, [1, 3, 0, 16]), expect: 'refused' },
    { name: 'input of no channels', content: model(pooled, [1, 0, 16, 16]), expect: 'refused' },
    { name: 'input of rank 0', content: model(pooled, []), expect: 'refused', says: /is a scalar/ },
    { name: 'input of rank 64', content: model(pooled, Array<number>(64).fill(1)), expect: 'refused' },
    { name: 'dynamic batch', content: model(pooled, ['N', 3, 16, 16]), expect: 'result' },
    {
      name: 'everything dynamic',
      content: model(pooled, ['N', 'C', 'H', 'W']),
      expect: 'refused',
      says: /size open|open/,
    },
    { name: 'batch of 8', content: model(pooled, [8, 3, 16, 16]), expect: 'refused', says: /batch/ },
    {
      name: 'one channel',
      content: model((m, x) => m.node('GlobalAveragePool', [conv(m, x, 4, 1)]), [1, 1, 16, 16]),
      expect: 'result',
    },
    {
      name: 'NHWC input',
      content: model(
        (m, x) => m.node('GlobalAveragePool', [conv(m, m.node('Transpose', [x], { perm: [0, 3, 1, 2] }))]),
        [1, 16, 16, 3],
      ),
      expect: 'result',
    },
    {
      name: 'uint8 input',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        return m
          .output(
            m.node('GlobalAveragePool', [conv(m, m.node('Cast', [m.input('x', [1, 3, 16, 16], 'uint8')], { to: 1 }))]),
          )
          .finish();
      })(),
    },
    {
      name: 'int64 input',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        return m.output(m.node('Gather', [weights(m, [10, 4]), m.input('ids', [1, 8], 'int64')])).finish();
      })(),
      expect: 'refused',
    },
    { name: 'float16', content: typed('float16') },
    { name: 'bfloat16', content: typed('bfloat16') },
    { name: 'float64', content: typed('float64') },
    { name: 'int8 throughout', content: typed('int8') },
    {
      name: 'two inputs',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        return m
          .output(
            m.node('GlobalAveragePool', [
              m.node('Add', [conv(m, m.input('a', [1, 3, 16, 16])), conv(m, m.input('b', [1, 3, 16, 16]))]),
            ]),
          )
          .finish();
      })(),
    },
    {
      name: 'no input',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        return m.output(m.node('Relu', [weights(m, [1, 3, 4, 4])])).finish();
      })(),
      expect: 'refused',
    },
    {
      name: 'no output',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        pooled(m, m.input('x', [1, 3, 16, 16]));
        return m.finish();
      })(),
      expect: 'refused',
    },
    {
      name: 'no node',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        return m.output(m.input('x', [1, 3, 16, 16])).finish();
      })(),
    },
    {
      name: 'output that nothing makes',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        pooled(m, m.input('x', [1, 3, 16, 16]));
        return m.output('nowhere').finish();
      })(),
      expect: 'refused',
    },
    { name: 'node that reads what nothing makes', content: model((m) => conv(m, 'nowhere')), expect: 'refused' },
    { name: 'transformer', content: model(transformer, [1, 3, 16, 16], 'float32', 17) },
    {
      name: 'recurrent network',
      content: model(
        (m, x) => m.node('LSTM', [x, weights(m, [1, 16, 8]), weights(m, [1, 16, 4])], { hidden_size: 4 }),
        [10, 1, 8],
      ),
      expect: 'refused',
    },
    { name: '1-D convolution', content: model((m, x) => m.node('Conv', [x, weights(m, [4, 3, 3])]), [1, 3, 64]) },
    {
      name: '3-D convolution',
      content: model((m, x) => m.node('Conv', [x, weights(m, [4, 3, 3, 3, 3])]), [1, 3, 8, 8, 8]),
      expect: 'refused',
    },
    { name: 'missing opset', content: opsets() },
    { name: 'opset 999', content: opsets(999) },
    { name: 'opset 0', content: opsets(0) },
    { name: 'opset -1', content: opsets(-1n) },
    { name: 'opset 2^63 - 1', content: opsets((1n << 63n) - 1n) },
    { name: 'two opsets', content: opsets(7, 21) },
    {
      name: 'operators of another domain',
      content: model((m, x) => m.node('TreeEnsembleClassifier', [x], {}, { domain: 'ai.onnx.ml' })),
      expect: 'refused',
      says: /TreeEnsembleClassifier/,
    },
    {
      name: 'If',
      content: withSubgraphs('If', (m) => [m.initializer({ dims: [], data: [1], type: 'bool' })], [
        'then_branch',
        'else_branch',
      ]),
      expect: 'refused',
      says: /If "decider"/,
    },
    {
      name: 'Loop',
      content: withSubgraphs('Loop', (m, x) => [m.initializer({ dims: [], data: [1e9], type: 'int64' }), '', x], [
        'body',
      ]),
      expect: 'refused',
      says: /Loop "decider"/,
    },
    {
      name: 'Scan',
      content: withSubgraphs('Scan', (_m, x) => [x], ['body']),
      expect: 'refused',
      says: /Scan "decider"/,
    },
    {
      name: 'function of its own',
      content: Buffer.concat([
        model((m, x) => m.node('Mine', [x], {}, { domain: 'local' })),
        new ProtoWriter()
          .message(
            25,
            new ProtoWriter()
              .text(1, 'Mine')
              .text(4, 'x')
              .text(5, 'y')
              .message(7, new ProtoWriter().text(1, 'x').text(2, 'y').text(4, 'Mine'))
              .text(10, 'local'),
          )
          .finish(),
      ]),
      expect: 'refused',
      says: /Mine/,
    },
  ];
}
