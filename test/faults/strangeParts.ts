import { OnnxBuilder, ProtoWriter, type OnnxType } from '../support/onnxBuilder';

export type Body = (m: OnnxBuilder, x: string) => string;

export function model(
  body: Body,
  dims: readonly (number | string)[] = [1, 3, 16, 16],
  type: OnnxType = 'float32',
  opset = 13,
): Buffer {
  const m = new OnnxBuilder(opset);
  return m.output(body(m, m.input('x', dims, type)), null, type).finish();
}

export const weights = (m: OnnxBuilder, dims: readonly number[], type: OnnxType = 'float32'): string =>
  m.initializer({ dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.1), type });
export const conv = (m: OnnxBuilder, x: string, out = 4, channels = 3): string =>
  m.node('Conv', [x, weights(m, [out, channels, 1, 1])]);
export const pooled: Body = (m, x) => m.node('GlobalAveragePool', [m.node('Relu', [conv(m, x)])]);
export const sound = (): Buffer => model(pooled);

/** A TensorProto by hand. */
export function tensor(
  name: string,
  dims: readonly number[],
  dataType: number,
  content: (proto: ProtoWriter) => ProtoWriter,
): ProtoWriter {
  return content(new ProtoWriter().packedVarints(1, dims).varint(2, dataType).text(8, name));
}

/** A convolution whose weights are this tensor. */
export function withWeights(
  dims: readonly number[],
  dataType: number,
  content: (proto: ProtoWriter) => ProtoWriter,
): Buffer {
  return model((m, x) => {
    m.graphFields((graph) => graph.message(5, tensor('w', dims, dataType, content)));
    return m.node('Conv', [x, 'w']);
  });
}

/** A node with a graph in each of some attributes. */
export function withSubgraphs(
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

export function opsets(...versions: (number | bigint)[]): Buffer {
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
export const transformer: Body = (m, x) => {
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

export const LONG = 'n'.repeat(1 << 20);
/** Names that could steer a terminal, turn text around, or be taken for a path. */
export const NAMES: readonly [what: string, name: string][] = [
  ['terminal escapes', '\u001b[2J\u001b[31mred\u001b]0;title\u0007'],
  ['right-to-left marks', 'a\u202egpj.\u2066exe\u2069'],
  ['path separators', '../../..\\..\\etc/passwd'],
  ['1 MB', LONG],
  ['lone surrogate bytes', 'x\ud800y'],
  ['C in it', '*/ int system(const char *); /*'],
  ['a formatting string', '%n%n%s{0}${x}`'],
];

export function named(name: string): Buffer {
  const m = new OnnxBuilder(13, 8, name);
  const y = m.node(
    'Relu',
    [m.node('Conv', [m.input(name, [1, 3, 16, 16]), weights(m, [4, 3, 1, 1])], {}, { name, outputs: [`${name}.`] })],
    {},
    { name },
  );
  return m.output(m.node('GlobalAveragePool', [y], {}, { outputs: [`${name}!`] })).finish();
}
