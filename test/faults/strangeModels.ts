import { gzipSync } from 'node:zlib';
import { OnnxBuilder, ProtoWriter, rawBytes } from '../support/onnxBuilder';
import { tinyPng } from './fixtures';
import type { HostileModel } from './hostileModels';
import { Body, model, weights, conv, pooled, sound, tensor, withWeights, LONG, NAMES, named } from './strangeParts';
import { shapesAndTypes } from './strangeShapes';

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
      name: 'external data at an offset that is not a number',
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
    {
      name: 'node without an operator',
      content: model((m, x) => m.node('', [x])),
      expect: 'refused',
      says: /: Node ".*names no operator/,
    },
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
