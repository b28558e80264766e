import { gzipSync } from 'node:zlib';
import { OnnxBuilder, ProtoWriter, rawBytes, type OnnxType } from '../support/onnxBuilder';
import { tinyPng } from './fixtures';
import type { HostileModel } from './hostileModels';

type Body = (m: OnnxBuilder, x: string) => string;

function model(
  body: Body,
  dims: readonly (number | string)[] = [1, 3, 16, 16],
  type: OnnxType = 'float32',
  opset = 13,
): Buffer {
  const m = new OnnxBuilder(opset);
  return m.output(body(m, m.input('x', dims, type)), null, type).finish();
}

const weights = (m: OnnxBuilder, dims: readonly number[], type: OnnxType = 'float32'): string =>
  m.initializer({ dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.1), type });
const conv = (m: OnnxBuilder, x: string, out = 4, channels = 3): string =>
  m.node('Conv', [x, weights(m, [out, channels, 1, 1])]);
const pooled: Body = (m, x) => m.node('GlobalAveragePool', [m.node('Relu', [conv(m, x)])]);
const sound = (): Buffer => model(pooled);

/** A TensorProto by hand. */
function tensor(
  name: string,
  dims: readonly number[],
  dataType: number,
  content: (proto: ProtoWriter) => ProtoWriter,
): ProtoWriter {
  return content(new ProtoWriter().packedVarints(1, dims).varint(2, dataType).text(8, name));
}

/** A convolution whose weights are this tensor. */
function withWeights(dims: readonly number[], dataType: number, content: (proto: ProtoWriter) => ProtoWriter): Buffer {
  return model((m, x) => {
    m.graphFields((graph) => graph.message(5, tensor('w', dims, dataType, content)));
    return m.node('Conv', [x, 'w']);
  });
}

/** A node with a graph in each of some attributes. */
function withSubgraphs(
  opType: string,
  inputs: (m: OnnxBuilder, x: string) => string[],
  attributes: readonly string[],
): Buffer {
  const branch = new ProtoWriter()
    .message(1, new ProtoWriter().text(1, 'x').text(2, 'inner').text(4, 'Relu'))
    .text(2, 'branch')
    .message(12, new ProtoWriter().text(1, 'inner'));
  return model((m, x) => {
    const names = inputs(m, x);
    m.graphFields((graph) => {
      const node = new ProtoWriter();
      for (const name of names) node.text(1, name);
      node.text(2, 'chosen').text(3, 'decider').text(4, opType);
      for (const name of attributes) node.message(5, new ProtoWriter().text(1, name).message(6, branch).varint(20, 5));
      graph.message(1, node);
    });
    return 'chosen';
  });
}

function opsets(...versions: (number | bigint)[]): Buffer {
  const graph = new ProtoWriter().message(1, new ProtoWriter().text(1, 'x').text(2, 'y').text(4, 'Relu')).text(2, 'g');
  for (const [field, name] of [
    [11, 'x'],
    [12, 'y'],
  ] as const) {
    const shape = new ProtoWriter();
    for (const dim of [1, 3, 8, 8]) shape.message(1, new ProtoWriter().varint(1, dim));
    graph.message(
      field,
      new ProtoWriter()
        .text(1, name)
        .message(2, new ProtoWriter().message(1, new ProtoWriter().varint(1, 1).message(2, shape))),
    );
  }
  const file = new ProtoWriter().varint(1, 8).message(7, graph);
  for (const version of versions) file.message(8, new ProtoWriter().text(1, '').varint(2, version));
  return file.finish();
}

/** Attention over the pixels of an image, as in a vision transformer. */
const transformer: Body = (m, x) => {
  const patches = m.node(
    'Transpose',
    [m.node('Reshape', [m.node('Conv', [x, weights(m, [8, 3, 4, 4])], { strides: [4, 4] }), m.int64s([1, 8, 16])])],
    { perm: [0, 2, 1] },
  );
  const project = (y: string): string => m.node('MatMul', [y, weights(m, [8, 8])]);
  const scores = m.node(
    'Softmax',
    [m.node('MatMul', [project(patches), m.node('Transpose', [project(patches)], { perm: [0, 2, 1] })])],
    { axis: 2 },
  );
  const mixed = m.node('LayerNormalization', [
    m.node('Add', [patches, m.node('MatMul', [scores, project(patches)])]),
    weights(m, [8]),
    weights(m, [8]),
  ]);
  return m.node('Gemm', [m.node('ReduceMean', [mixed], { axes: [1], keepdims: 0 }), weights(m, [5, 8])], { transB: 1 });
};

const LONG = 'n'.repeat(1 << 20);
/** Names that could steer a terminal, turn text around, or be taken for a path. */
const NAMES: readonly [what: string, name: string][] = [
  ['terminal escapes', '\u001b[2J\u001b[31mred\u001b]0;title\u0007'],
  ['right-to-left marks', 'a\u202egpj.\u2066exe\u2069'],
  ['path separators', '../../..\\..\\etc/passwd'],
  ['1 MB', LONG],
  ['lone surrogate bytes', 'x\ud800y'],
  ['C in it', '*/ int system(const char *); /*'],
  ['a formatting string', '%n%n%s{0}${x}`'],
];

function named(name: string): Buffer {
  const m = new OnnxBuilder(13, 8, name);
  const y = m.node(
    'Relu',
    [m.node('Conv', [m.input(name, [1, 3, 16, 16]), weights(m, [4, 3, 1, 1])], {}, { name, outputs: [`${name}.`] })],
    {},
    { name },
  );
  return m.output(m.node('GlobalAveragePool', [y], {}, { outputs: [`${name}!`] })).finish();
}

/** Bytes that are no message of ONNX, or one that lies about itself. */
function brokenFiles(): HostileModel[] {
  const s = sound();
  const refused = (name: string, content: Uint8Array): HostileModel => ({ name, content, expect: 'refused' });
  return [
    refused('gzip', gzipSync(s)),
    refused('zip', Buffer.concat([Buffer.from('PK\u0003\u0004'), s])),
    refused('PNG', tinyPng(1)),
    refused('TFLite', Buffer.concat([Buffer.from([0x1c, 0, 0, 0]), Buffer.from('TFL3'), Buffer.alloc(4096)])),
    refused('pickle', Buffer.from('\u0080\u0002}q\u0000X\u0004\u0000\u0000\u0000bias', 'latin1')),
    refused('text format', Buffer.from('ir_version: 8\ngraph { node { op_type: "Relu" } }\n')),
    refused('HTML of a login page', Buffer.from('<!DOCTYPE html><html><body>Sign in</body></html>')),
    refused('a million nested groups', Buffer.alloc(1_000_000, 0x0b)),
    refused('groups in a graph', new ProtoWriter().varint(1, 8).bytes(7, Buffer.alloc(100_000, 0x0b)).finish()),
    refused('an endless number', Buffer.alloc(1000, 0x80)),
    refused('a field of 2^63 bytes', Buffer.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
    refused('field 0', Buffer.concat([s, Buffer.from([0x00, 0x00])])),
    refused('wire type 7', Buffer.concat([s, Buffer.from([0x0f])])),
    refused('two graphs, the second empty', new ProtoWriter().varint(1, 8).message(7, new ProtoWriter()).finish()),
    {
      name: 'unknown fields',
      content: Buffer.concat([s, new ProtoWriter().text(999, 'later version').varint(1000, 1).finish()]),
      expect: 'result',
    },
    {
      name: '30 MB of description',
      content: Buffer.concat([s, new ProtoWriter().bytes(6, Buffer.alloc(30_000_000, 0x61)).finish()]),
      expect: 'result',
    },
    {
      name: 'metadata of 100 000 entries',
      content: Buffer.concat([
        s,
        ...Array.from({ length: 100_000 }, (_, i) =>
          new ProtoWriter().message(14, new ProtoWriter().text(1, `k${i}`).text(2, 'v')).finish(),
        ),
      ]),
      expect: 'result',
    },
    {
      name: 'training information',
      content: Buffer.concat([
        s,
        new ProtoWriter().message(20, new ProtoWriter().message(1, new ProtoWriter().text(2, 'init'))).finish(),
      ]),
    },
    refused(
      'a million empty nodes',
      new ProtoWriter()
        .varint(1, 8)
        .bytes(7, Buffer.alloc(2_000_000, Buffer.from([0x0a, 0x00])))
        .message(8, new ProtoWriter().text(1, '').varint(2, 13))
        .finish(),
    ),
  ];
}

function shapesAndTypes(): HostileModel[] {
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
    { name: 'input of rank 0', content: model(pooled, []), expect: 'refused' },
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

function tensors(): HostileModel[] {
  const some = (count: number): Buffer => rawBytes('float32', new Float32Array(count).fill(0.1));
  const bad = (
    name: string,
    dims: readonly number[],
    dataType: number,
    content: (proto: ProtoWriter) => ProtoWriter,
  ): HostileModel => ({ name, content: withWeights(dims, dataType, content), expect: 'refused' });
  return [
    bad('weights of too few bytes', [4, 3, 1, 1], 1, (t) => t.bytes(9, some(11))),
    bad('weights of too many bytes', [4, 3, 1, 1], 1, (t) => t.bytes(9, some(13))),
    bad('weights without data', [4, 3, 1, 1], 1, (t) => t),
    bad('weights of 2^62 × 2^62', [2 ** 62, 2 ** 62, 1, 1], 1, (t) => t.bytes(9, some(12))),
    bad('weights of -4 × 3', [-4, 3, 1, 1], 1, (t) => t.bytes(9, some(12))),
    bad('weights of 0 × 3', [0, 3, 1, 1], 1, (t) => t.bytes(9, some(0))),
    bad('weights of strings', [4, 3, 1, 1], 8, (t) => {
      for (let i = 0; i < 12; i++) t.text(6, 'a weight');
      return t;
    }),
    bad('weights of complex numbers', [4, 3, 1, 1], 14, (t) => t.bytes(9, some(24))),
    bad('weights of type 77', [4, 3, 1, 1], 77, (t) => t.bytes(9, some(12))),
    bad('weights of type -1', [4, 3, 1, 1], 2 ** 64 - 2048, (t) => t.bytes(9, some(12))),
    {
      name: 'weights in two places',
      content: withWeights([4, 3, 1, 1], 1, (t) => t.bytes(4, some(12)).bytes(9, some(12))),
    },
    {
      name: 'weights in parts',
      content: withWeights([4, 3, 1, 1], 1, (t) =>
        t.message(3, new ProtoWriter().varint(1, 0).varint(2, 6)).bytes(9, some(12)),
      ),
    },
    {
      name: 'sparse weights',
      content: model((m, x) => {
        m.graphFields((graph) =>
          graph.message(
            15,
            new ProtoWriter()
              .message(
                1,
                tensor('w', [2], 1, (t) => t.bytes(9, some(2))),
              )
              .message(
                2,
                tensor('', [2], 7, (t) => t.packedVarints(7, [0, 10 ** 12])),
              )
              .packedVarints(3, [4, 3, 1, 1]),
          ),
        );
        return m.node('Conv', [x, 'w']);
      }),
      expect: 'refused',
    },
    { name: 'external data of no name', content: external(''), expect: 'refused' },
    { name: 'external data with a zero byte in its name', content: external('a\u0000b'), expect: 'refused' },
    { name: 'external data beside through ..', content: external('../x/../home/w.bin'), expect: 'refused' },
    { name: 'external data at a negative offset', content: external('model.onnx', '-48'), expect: 'refused' },
    {
      name: 'external data at an offset that is no number',
      content: external('model.onnx', '1e3x'),
      expect: 'refused',
    },
    { name: 'external data of 2^60 bytes', content: external('model.onnx', '0', String(2 ** 60)), expect: 'refused' },
    { name: 'external data at a device', content: external('/dev/zero'), expect: 'refused' },
    { name: 'external data through /proc', content: external('/proc/self/mem'), expect: 'refused' },
    { name: 'external data by ~', content: external('~/.ssh/id_rsa'), expect: 'refused' },
    { name: 'external data 1 MB of name', content: external(LONG), expect: 'refused' },
  ];
}

function external(location: string, offset = '0', length = '48'): Buffer {
  return withWeights([4, 3, 1, 1], 1, (t) => {
    for (const [key, value] of [
      ['location', location],
      ['offset', offset],
      ['length', length],
    ])
      t.message(13, new ProtoWriter().text(1, key).text(2, value));
    return t.varint(14, 1);
  });
}

function graphs(): HostileModel[] {
  const refused = (name: string, body: Body, dims?: readonly number[]): HostileModel => ({
    name,
    content: model(body, dims),
    expect: 'refused',
  });
  return [
    {
      name: 'cycle of 1000 nodes',
      content: model((m, x) => {
        for (let i = 0; i < 1000; i++) m.node('Add', [x, `v${(i + 999) % 1000}`], {}, { outputs: [`v${i}`] });
        return 'v999';
      }),
      expect: 'refused',
    },
    {
      name: 'nodes of one name',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        const y = m.node(
          'Relu',
          [m.node('Conv', [m.input('x', [1, 3, 16, 16]), weights(m, [4, 3, 1, 1])], {}, { name: 'same' })],
          {},
          { name: 'same' },
        );
        return m.output(m.node('Conv', [y, weights(m, [4, 4, 1, 1])], {}, { name: 'same' })).finish();
      })(),
      expect: 'result',
    },
    {
      name: 'weights of one name',
      content: model((m, x) => {
        m.initializer({ dims: [4, 3, 1, 1], data: new Float32Array(12).fill(1) }, 'w');
        m.initializer({ dims: [4, 3, 1, 1], data: new Float32Array(12).fill(2) }, 'w');
        return m.node('Conv', [x, 'w']);
      }),
    },
    {
      name: 'inputs of one name',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        m.input('x', [1, 3, 16, 16]);
        return m.output(pooled(m, m.input('x', [1, 3, 8, 8]))).finish();
      })(),
    },
    {
      name: 'outputs of one name',
      content: ((): Buffer => {
        const m = new OnnxBuilder();
        const y = pooled(m, m.input('x', [1, 3, 16, 16]));
        return m.output(y).output(y).finish();
      })(),
    },
    {
      name: 'node of 100 000 inputs',
      content: model((m, x) => m.node('Sum', Array<string>(100_000).fill(x))),
      expect: 'refused',
      says: /layers/,
    },
    {
      name: '100 000 outputs of one node',
      content: model((m, x) =>
        m.node('Split', [x], { axis: 1 }, { outputs: Array.from({ length: 100_000 }, (_, i) => `o${i}`) }),
      ),
      expect: 'refused',
    },
    {
      name: 'node without outputs',
      content: model((m, x) => {
        m.node('Relu', [x], {}, { outputs: [] });
        return conv(m, x);
      }),
    },
    { name: 'node without an operator', content: model((m, x) => m.node('', [x])), expect: 'refused' },
    { name: 'operator of 1 MB', content: model((m, x) => m.node(LONG, [x])), expect: 'refused' },
    refused('kernel larger than its input', (m, x) => m.node('MaxPool', [x], { kernel_shape: [99, 99] })),
    refused('kernel shape as text', (m, x) => m.node('MaxPool', [x], { kernel_shape: 'three' })),
    refused('dilation of 2^31', (m, x) =>
      m.node('Conv', [x, weights(m, [4, 3, 3, 3])], { dilations: [2 ** 31, 2 ** 31] }),
    ),
    refused('negative padding', (m, x) => m.node('Conv', [x, weights(m, [4, 3, 3, 3])], { pads: [-9, -9, -9, -9] })),
    refused('groups that do not divide', (m, x) => m.node('Conv', [x, weights(m, [4, 2, 1, 1])], { group: 2 })),
    refused('reshape by two unknowns', (m, x) => m.node('Reshape', [x, m.int64s([-1, -1])])),
    refused('reshape to 2^62', (m, x) => m.node('Reshape', [x, m.int64s([2 ** 62, 4])])),
    refused('transpose by one axis twice', (m, x) => m.node('Transpose', [x], { perm: [0, 0, 0, 0] })),
    refused('concat at axis 99', (m, x) => m.node('Concat', [x, x], { axis: 99 })),
    refused('concat of nothing', (m) => m.node('Concat', [], { axis: 1 })),
    refused('slice by step 0', (m, x) =>
      m.node('Slice', [x, m.int64s([0]), m.int64s([3]), m.int64s([1]), m.int64s([0])]),
    ),
    refused('split into less than all', (m, x) => m.node('Split', [x, m.int64s([1, 1])], { axis: 1 })),
    refused('gather beyond the end', (m, x) => m.node('Gather', [x, m.int64s([99])], { axis: 1 })),
    refused('tile by 2^40', (m, x) => m.node('Tile', [x, m.int64s([1, 1, 2 ** 40, 2 ** 40])])),
    refused('batch norm of negative variance', (m, x) =>
      m.node('BatchNormalization', [
        conv(m, x),
        weights(m, [4]),
        weights(m, [4]),
        weights(m, [4]),
        m.floats([4], [-9, -9, -9, -9]),
      ]),
    ),
    { name: 'division by zero', content: model((m, x) => m.node('Div', [conv(m, x), m.scalar(0)])) },
    {
      name: 'weights with infinity',
      content: model((m, x) => m.node('Conv', [x, m.floats([1, 3, 1, 1], [Infinity, 1, 1])])),
      expect: 'refused',
    },
    {
      name: '5000 convolutions on one tensor',
      content: model(
        (m, x) => {
          const w = weights(m, [3, 3, 1, 1]);
          let y = x;
          for (let i = 0; i < 5000; i++) y = m.node('Conv', [y, w]);
          return y;
        },
        [1, 3, 4, 4],
      ),
      expect: 'refused',
      says: /5000 layers/,
    },
    {
      name: 'constants folded 20 times to 2^20',
      content: model((m, x) => {
        let c = m.floats([1, 1, 1, 1], [1]);
        for (let i = 0; i < 20; i++) c = m.node('Concat', [c, c], { axis: 3 });
        return m.node('Add', [x, c]);
      }),
      expect: 'refused',
    },
  ];
}

/**
 * Models that are strange in ways of their own: no network for images, no floats, no shapes, no ONNX, or names and
 * numbers made to do harm.
 */
export function strangeModels(): HostileModel[] {
  return [
    ...brokenFiles(),
    ...shapesAndTypes(),
    ...tensors(),
    ...graphs(),
    ...NAMES.map(([what, name]): HostileModel => ({ name: `names with ${what}`, content: named(name) })),
  ];
}
