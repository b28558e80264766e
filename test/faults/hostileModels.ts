import { OnnxBuilder, ProtoWriter, float } from '../support/onnxBuilder';

/** A model that is damaged, extreme or made to do harm, and what reading it must come to. */
export interface HostileModel {
  readonly name: string;
  readonly content: Uint8Array;
  /** `result`: it can be quantized; `refused`: it must not; undefined: either, as long as it is done soundly. */
  readonly expect?: 'result' | 'refused';
  readonly says?: RegExp;
}

const conv = (m: OnnxBuilder, x: string, out: number, channels: number, kernel = 1): string =>
  m.node('Conv', [
    x,
    m.floats([out, channels, kernel, kernel], new Float32Array(out * channels * kernel * kernel).fill(0.1)),
  ]);

function model(
  body: (m: OnnxBuilder, x: string) => string,
  dims: readonly (number | string)[] = [1, 3, 32, 32],
): Buffer {
  const m = new OnnxBuilder();
  return m.output(body(m, m.input('x', dims))).finish();
}

/** Names that end up in files, C sources, messages and object keys. */
const NASTY = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../../etc/passwd',
  '*/ #error',
  '"; rm -rf / #',
  '%s%n%s',
  'line\nbreak',
  '\u202egnp.exe',
  '\u0000zero',
  '',
  'x'.repeat(5000),
  '<img src=x onerror=alert(1)>',
];

/** The project's own hostile models; they need nothing outside of it. */
export function hostileModels(): HostileModel[] {
  const sound = model((m, x) => m.node('GlobalAveragePool', [m.node('Relu', [conv(m, x, 8, 3, 3)])]));
  const chain = (count: number, op: (m: OnnxBuilder, x: string) => string): Buffer =>
    model((m, x) => {
      let y = x;
      for (let i = 0; i < count; i++) y = op(m, y);
      return y;
    });
  return [
    { name: 'sound', content: sound, expect: 'result' },
    { name: 'empty', content: new Uint8Array(0), expect: 'refused', says: /empty/ },
    { name: 'one byte', content: Uint8Array.of(8), expect: 'refused' },
    { name: 'text', content: Buffer.from('not a model at all\n'), expect: 'refused' },
    { name: 'zeros', content: new Uint8Array(100_000), expect: 'refused' },
    { name: 'ones', content: new Uint8Array(100_000).fill(255), expect: 'refused' },
    ...[0.1, 0.5, 0.9, 0.99].map((share): HostileModel => ({
      name: `cut at ${share}`,
      content: sound.subarray(0, Math.floor(sound.length * share)),
      expect: 'refused',
    })),
    { name: 'nested 5000 messages deep', content: nested(5000), expect: 'refused' },
    {
      name: 'input of 40000×40000',
      content: model((m, x) => conv(m, x, 8, 3), [1, 3, 40000, 40000]),
      expect: 'refused',
    },
    { name: 'input of 6000×6000', content: model((m, x) => conv(m, x, 8, 3), [1, 3, 6000, 6000]), expect: 'refused' },
    {
      name: 'input of 2^31 rows',
      content: model((m, x) => conv(m, x, 8, 3), [1, 3, 2 ** 31, 2 ** 31]),
      expect: 'refused',
    },
    { name: 'negative input size', content: model((m, x) => conv(m, x, 8, 3), [1, 3, -5, 8]), expect: 'refused' },
    {
      name: 'map of a billion elements',
      content: model((m, x) =>
        m.node('Resize', [conv(m, x, 8, 3), '', m.floats([4], [1, 1, 400, 400])], { mode: 'nearest' }),
      ),
      expect: 'refused',
    },
    {
      name: 'resize by 1e30',
      content: model((m, x) => m.node('Resize', [x, '', m.floats([4], [1, 1, 1e30, 1e30])], { mode: 'nearest' })),
      expect: 'refused',
    },
    {
      name: 'resize by NaN',
      content: model((m, x) => m.node('Resize', [x, '', m.floats([4], [1, 1, NaN, NaN])], { mode: 'nearest' })),
      expect: 'refused',
    },
    {
      name: 'padding of 2^40',
      content: model((m, x) => m.node('Pad', [x, m.int64s([0, 0, 2 ** 40, 0, 0, 0, 0, 0])])),
      expect: 'refused',
    },
    {
      name: 'kernel of 2^31',
      content: model((m, x) => m.node('MaxPool', [x], { kernel_shape: [2 ** 31, 2 ** 31] })),
      expect: 'refused',
    },
    {
      name: 'window, stride and padding of 2^62',
      content: model((m, x) =>
        m.node('Conv', [x, m.floats([1, 3, 3, 3], new Float32Array(27))], {
          pads: [2 ** 62, 2 ** 62, 2 ** 62, 2 ** 62],
          strides: [2 ** 62, 2 ** 62],
          dilations: [2 ** 62, 2 ** 62],
        }),
      ),
      expect: 'refused',
      says: /beyond all images/,
    },
    { name: 'squares of squares, 60 times', content: chain(60, (m, y) => m.node('Mul', [y, y])) },
    {
      name: 'roots of negative values',
      content: model((m, x) => m.node('Sqrt', [m.node('Sub', [conv(m, x, 4, 3), m.scalar(1e6)])])),
      expect: 'refused',
    },
    {
      name: 'division of zeros by zeros',
      content: model((m, x) =>
        m.node('Div', [m.node('Mul', [x, m.scalar(0)]), m.node('Relu', [m.node('Neg', [m.node('Abs', [x])])])]),
      ),
    },
    { name: 'exponential of exponentials', content: chain(12, (m, y) => m.node('Exp', [y])) },
    {
      name: 'expanded to 2^31 rows',
      content: model((m, x) =>
        m.node('Expand', [m.node('GlobalAveragePool', [x]), m.int64s([1, 3, 2 ** 31, 2 ** 31])]),
      ),
      expect: 'refused',
    },
    {
      name: 'stride 0',
      content: model((m, x) => m.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [0, 0] })),
      expect: 'refused',
    },
    {
      name: 'stride -1',
      content: model((m, x) => m.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [-1, -1] })),
      expect: 'refused',
    },
    {
      name: 'group 0',
      content: model((m, x) => m.node('Conv', [x, m.floats([1, 3, 1, 1], [1, 1, 1])], { group: 0 })),
      expect: 'refused',
    },
    {
      name: 'constant of 10^10 elements',
      content: model((m, x) => m.node('Add', [x, m.node('ConstantOfShape', [m.int64s([100_000, 100_000])])])),
      expect: 'refused',
    },
    {
      name: 'constant expanded to 10^10 elements',
      content: model((m, x) =>
        m.node('Add', [x, m.node('Expand', [m.floats([1], [1]), m.int64s([100_000, 100_000])])]),
      ),
      expect: 'refused',
    },
    {
      name: 'range of 10^15',
      content: model((m, x) => m.node('Add', [x, m.node('Range', [m.scalar(0), m.scalar(1e15), m.scalar(1)])])),
      expect: 'refused',
    },
    {
      name: 'weights with NaN',
      content: model((m, x) => m.node('Conv', [x, m.floats([1, 3, 1, 1], [NaN, 1, 1])])),
      expect: 'refused',
      says: /not a number/,
    },
    { name: 'weights of 1e38', content: model((m, x) => conv2(m, x, 1e38)) },
    { name: 'weights of 1e-44', content: model((m, x) => conv2(m, x, 1e-44)) },
    { name: 'weights all 0', content: model((m, x) => conv2(m, x, 0)), expect: 'result' },
    {
      name: 'clip with min above max',
      content: model((m, x) => m.node('Clip', [conv(m, x, 4, 3), m.scalar(6), m.scalar(0)])),
    },
    {
      name: 'leaky slope of infinity',
      content: model((m, x) => m.node('LeakyRelu', [conv(m, x, 4, 3)], { alpha: float(Infinity) })),
    },
    {
      name: 'node that reads itself',
      content: model((m, x) => m.node('Add', [x, 'loop'], {}, { outputs: ['loop'] })),
      expect: 'refused',
    },
    {
      name: 'two nodes that read each other',
      content: model((m, x) => {
        m.node('Add', [x, 'b'], {}, { outputs: ['a'] });
        return m.node('Add', [x, 'a'], {}, { outputs: ['b'] });
      }),
      expect: 'refused',
    },
    {
      name: 'value written twice',
      content: model((m, x) => {
        m.node('Relu', [x], {}, { outputs: ['a'] });
        return m.node('Sigmoid', [x], {}, { outputs: ['a'] });
      }),
      expect: 'refused',
    },
    { name: '2000 Relu', content: chain(2000, (m, y) => m.node('Relu', [y])), expect: 'result' },
    { name: '600 Sigmoid', content: chain(600, (m, y) => m.node('Sigmoid', [y])) },
    {
      name: 'concat of 2000',
      content: model(
        (m, x) => {
          const y = conv(m, x, 1, 3);
          return m.node('GlobalAveragePool', [
            m.node(
              'Concat',
              Array.from({ length: 2000 }, () => y),
              { axis: 1 },
            ),
          ]);
        },
        [1, 3, 8, 8],
      ),
    },
    { name: 'adds that double 60 times', content: chain(60, (m, y) => m.node('Add', [y, y])) },
    {
      name: 'external data at ../../secret',
      content: external('../../secret.bin'),
      expect: 'refused',
      says: /outside the model's folder/,
    },
    {
      name: 'external data at an absolute path',
      content: external('/etc/passwd'),
      expect: 'refused',
      says: /outside the model's folder/,
    },
    { name: 'external data at a URL', content: external('file:///etc/passwd'), expect: 'refused' },
    { name: 'external data at C:', content: external('C:\\Windows\\win.ini'), expect: 'refused' },
    { name: 'external data on a server', content: external('\\\\server\\share\\w.bin'), expect: 'refused' },
    { name: 'external data at a link that leads out', content: external('link.bin'), expect: 'refused' },
    { name: 'external data in a folder', content: external('.'), expect: 'refused' },
    { name: 'external data in the model itself', content: external('model.onnx', 2 ** 40), expect: 'refused' },
    { name: 'unused external data outside', content: unusedExternal('../../secret.bin') },
    ...NASTY.map((name, i): HostileModel => ({ name: `nasty name ${i}`, content: named(name) })),
  ];
}

function conv2(m: OnnxBuilder, x: string, value: number): string {
  return m.node('Conv', [x, m.floats([4, 3, 1, 1], new Float32Array(12).fill(value))]);
}

function external(location: string, offset = 0): Buffer {
  return model((m, x) =>
    m.node('Conv', [x, m.initializer({ dims: [4, 3, 1, 1], data: [], external: { location, offset, length: 48 } })]),
  );
}

function unusedExternal(location: string): Buffer {
  return model((m, x) => {
    m.initializer({ dims: [4, 3, 1, 1], data: [], external: { location, offset: 0, length: 48 } });
    return conv(m, x, 4, 3);
  });
}

/** A model whose layer, value and graph all have the given name. */
function named(name: string): Buffer {
  const m = new OnnxBuilder(13, 8, name);
  const y = m.node('Relu', [
    m.node(
      'Conv',
      [m.input('x', [1, 3, 32, 32]), m.floats([4, 3, 1, 1], new Float32Array(12).fill(0.1))],
      {},
      { name, outputs: [name] },
    ),
  ]);
  return m.output(m.node('GlobalAveragePool', [y])).finish();
}

/** Graphs in attributes of nodes in graphs in attributes… */
function nested(depth: number): Buffer {
  let graph: Uint8Array = new ProtoWriter().text(2, 'g').finish();
  for (let i = 0; i < depth; i++) {
    const attribute = new ProtoWriter().text(1, 'then_branch').bytes(6, graph).varint(20, 5);
    graph = new ProtoWriter().message(1, new ProtoWriter().text(4, 'If').message(5, attribute)).text(2, 'g').finish();
  }
  return new ProtoWriter()
    .varint(1, 8)
    .bytes(7, graph)
    .message(8, new ProtoWriter().text(1, '').varint(2, 13))
    .finish();
}
