import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import protobuf from 'protobufjs';
import { UserError } from '../../../src/engine/common/errors';
import { importModel, openModel, openSizes, type OnnxModel } from '../../../src/engine/onnx';
import { halfToFloat, readTensor } from '../../../src/engine/onnx/tensorData';
import { ModelFolder, OnnxBuilder, ProtoWriter, float, floatToHalf, rawBytes } from '../../support/onnxBuilder';
import { kinds, matchesOnnxruntime, randomArray, randomNumbers } from '../../support/onnxOracle';
import { needSharedData } from '../../support/sharedData';

/** The fields of onnx.proto that the reader uses, from the public specification, for an independent decoder. */
const SCHEMA = `syntax = "proto2"; package onnx;
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message TensorProto { repeated int64 dims = 1; optional int32 data_type = 2;
    repeated float float_data = 4 [packed = true]; repeated int32 int32_data = 5 [packed = true];
  repeated int64 int64_data = 7 [packed = true]; optional string name = 8; optional bytes raw_data = 9;
    repeated StringStringEntryProto external_data = 13; optional int32 data_location = 14; }
message AttributeProto { optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4;
    optional TensorProto t = 5; repeated float floats = 7; repeated int64 ints = 8; optional int32 type = 20; }
message NodeProto { repeated string input = 1; repeated string output = 2; optional string name = 3;
    optional string op_type = 4; repeated AttributeProto attribute = 5; optional string domain = 7; }
message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorType { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional TensorType tensor_type = 1; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message GraphProto { repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message ModelProto { optional int64 ir_version = 1; optional string producer_name = 2;
    optional GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }`;

describe('onnx reader', () => {
  let folder: ModelFolder;
  before(() => (folder = new ModelFolder()));
  after(() => folder.remove());

  async function withModel<T>(file: string, use: (model: OnnxModel) => T): Promise<T> {
    const model = await openModel(file);
    try {
      return use(model);
    } finally {
      await model.close();
    }
  }

  it('finds the same structure and data as protobufjs in the shared models', async function () {
    this.timeout(300_000);
    const type = protobuf.parse(SCHEMA).root.lookupType('onnx.ModelProto');
    for (const name of [
      'face_rfb320',
      'mcunet_vww_80',
      'mobilenetv2_1.0_224_ort_qdq',
      'squeezenet1.1_224_imagenet',
      'resnet8_cifar10_mlperf_bn',
    ]) {
      const file = needSharedData(this, 'models', `${name}.onnx`);
      const reference = type.toObject(type.decode(readFileSync(file)), {
        longs: Number,
        defaults: true,
        arrays: true,
      }) as Reference;
      await withModel(file, (model) => compareStructure(model, reference));
    }
  });

  interface Reference {
    ir_version: number;
    irVersion: number;
    opsetImport: { domain: string; version: number }[];
    graph: {
      name: string;
      node: {
        name: string;
        opType: string;
        domain: string;
        input: string[];
        output: string[];
        attribute: {
          name: string;
          type: number;
          f: number;
          i: number;
          s: Uint8Array;
          ints: number[];
          floats: number[];
        }[];
      }[];
      initializer: {
        name: string;
        dims: number[];
        dataType: number;
        rawData: Uint8Array;
        floatData: number[];
        int32Data: number[];
        int64Data: number[];
      }[];
      input: {
        name: string;
        type: { tensorType: { elemType: number; shape: { dim: { dimValue?: number; dimParam?: string }[] } } };
      }[];
      output: { name: string }[];
    };
  }

  function compareStructure(model: OnnxModel, { graph, irVersion, opsetImport }: Reference): void {
    assert.equal(model.irVersion, irVersion);
    assert.equal(model.graphName, graph.name);
    assert.deepEqual(
      [...model.opsets],
      opsetImport.map((o) => [o.domain, o.version]),
    );

    assert.deepEqual(
      model.nodes.map((n) => [n.name, n.opType, n.domain, n.inputs, n.outputs]),
      graph.node.map((n) => [n.name, n.opType, n.domain, n.input, n.output]),
    );
    graph.node.forEach((node, i) => {
      for (const a of node.attribute) {
        const own = model.nodes[i].attributes.get(a.name);
        assert.ok(own);
        const value = { 1: own.f, 2: own.i, 3: own.s, 6: own.floats, 7: own.ints }[a.type];
        const expected = { 1: a.f, 2: a.i, 3: Buffer.from(a.s).toString(), 6: a.floats, 7: a.ints }[a.type];
        assert.deepEqual(value, expected, `${node.name}.${a.name}`);
      }
    });
    assert.deepEqual(
      model.inputs.map((v) => v.name),
      graph.input.map((v) => v.name),
    );

    assert.deepEqual(
      model.inputs.map((v) => v.elementType),
      graph.input.map((v) => v.type.tensorType.elemType),
    );
    assert.deepEqual(
      model.outputs.map((v) => v.name),
      graph.output.map((v) => v.name),
    );
    assert.equal(model.initializers.size, graph.initializer.length);
    for (const tensor of graph.initializer) {
      const own = model.initializers.get(tensor.name);
      assert.ok(own);
      assert.deepEqual([own.dims, own.dataType], [tensor.dims, tensor.dataType]);
      const data = readTensor(model, own);
      if (tensor.dataType === 1) {
        const bytes = tensor.rawData.length > 0 ? Buffer.from(tensor.rawData) : rawBytes('float32', tensor.floatData);
        assert.ok(bytes.equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength)), tensor.name);
      } else if (tensor.int64Data.length + tensor.int32Data.length > 0) {
        assert.deepEqual([...data], tensor.int64Data.length > 0 ? tensor.int64Data : tensor.int32Data);
      }
    }
  }

  it('reads only a fraction of a large file for its structure', async () => {
    const m = new OnnxBuilder();
    m.output(
      m.node('Conv', [m.input('x', [1, 256, 8, 8]), m.floats([1024, 256, 3, 3], new Float32Array(1024 * 256 * 9))]),
    );
    const file = folder.write(m, 'large.onnx');
    await withModel(file, (model) => {
      assert.equal(model.nodes.length, 1);
      assert.ok(model.reader.bytesRead < 200_000, `${model.reader.bytesRead} bytes read`);
    });
  });

  it('reads unpacked repeated fields', async () => {
    const tensor = new ProtoWriter().varint(1, 2).varint(1, 2).varint(2, 1).text(8, 'w');
    for (const v of [1, -2, 3, 0.5]) tensor.float(4, v);
    const node = new ProtoWriter().text(1, 'x').text(1, 'w').text(2, 'y').text(4, 'MatMul');
    const value = (name: string): ProtoWriter => {
      const shape = new ProtoWriter()
        .message(1, new ProtoWriter().varint(1, 1))
        .message(1, new ProtoWriter().varint(1, 2));
      return new ProtoWriter()
        .text(1, name)
        .message(2, new ProtoWriter().message(1, new ProtoWriter().varint(1, 1).message(2, shape)));
    };
    const graph = new ProtoWriter().message(1, node).message(5, tensor).message(11, value('x')).message(12, value('y'));
    const model = new ProtoWriter().varint(1, 8).message(7, graph).message(8, new ProtoWriter().varint(2, 13));
    const { graph: imported } = await matchesOnnxruntime(folder.write(model.finish()));
    assert.deepEqual(kinds(imported), ['fullyConnected']);
  });

  it('converts every half-precision number', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value)) assert.equal(floatToHalf(value), bits);
    }
    assert.equal(halfToFloat(0x3c00), 1);
    assert.equal(halfToFloat(0x0001), 2 ** -24);
  });

  describe('external data', () => {
    function withExternal(location: string, options: { offset?: number; length?: number } = {}): string {
      const m = new OnnxBuilder();
      m.output(
        m.node('Conv', [
          m.input('x', [1, 3, 5, 5]),
          m.initializer({ dims: [2, 3, 3, 3], data: [], external: { location, ...options } }),
        ]),
      );
      return folder.write(m, 'external.onnx');
    }
    const bytes = rawBytes('float32', randomArray(54, randomNumbers(1)));

    it('is read at its offset from a file or folder beside the model', async () => {
      writeFileSync(path.join(folder.folder, 'weights.bin'), Buffer.concat([Buffer.alloc(64), bytes]));
      await matchesOnnxruntime(withExternal('weights.bin', { offset: 64, length: 216 }));
      mkdirSync(path.join(folder.folder, 'sub'));
      writeFileSync(path.join(folder.folder, 'sub', 'weights.bin'), bytes);
      await matchesOnnxruntime(withExternal('sub/weights.bin'));
    });

    it('is refused outside the folder, beyond the file, or where it is no file', async () => {
      const outside = new ModelFolder();
      try {
        const secret = outside.write(bytes, 'secret.bin');
        symlinkSync(secret, path.join(folder.folder, 'link.bin'));
        symlinkSync(outside.folder, path.join(folder.folder, 'linked'));
        writeFileSync(path.join(folder.folder, 'short.bin'), bytes.subarray(0, 100));
        const cases: [string, { offset?: number; length?: number }, RegExp][] = [
          [secret, {}, /outside the model's folder/],
          [`../${path.basename(outside.folder)}/secret.bin`, {}, /outside the model's folder/],
          ['..\\secret.bin', {}, /outside the model's folder/],
          ['C:\\secret.bin', {}, /outside the model's folder/],
          ['file:///etc/passwd', {}, /outside the model's folder/],
          ['link.bin', {}, /outside the model's folder/],
          ['linked/secret.bin', {}, /outside the model's folder/],
          ['missing.bin', {}, /does not exist/],
          ['a\0b', {}, /names no external data/],
          ['', {}, /names no external data/],
          ['.', {}, /outside|not a file/],
          ['short.bin', {}, /has only 100/],
          ['weights.bin', { offset: 10_000_000 }, /has only/],
          ['weights.bin', { length: 8 }, /stores 8/],
        ];
        // Opening a pipe that nobody writes to would wait forever.
        if (process.platform !== 'win32' && spawnSync('mkfifo', [path.join(folder.folder, 'pipe.bin')]).status === 0)
          cases.push(['pipe.bin', {}, /not a file/]);
        for (const [location, options, message] of cases) {
          await assert.rejects(importModel(withExternal(location, options)), (error: Error) => {
            assert.ok(error instanceof UserError);
            assert.match(error.message, message, location);
            return true;
          });
        }
      } finally {
        outside.remove();
      }
    });
  });

  it('takes a dimension of -1 as open', async () => {
    const model = (height: number): string => {
      const m = new OnnxBuilder();
      return folder.write(m.output(m.node('Relu', [m.input('x', [-1, 3, height, 5])])), 'open.onnx');
    };
    const { graph } = await matchesOnnxruntime(model(4));
    assert.deepEqual(graph.inputs[0].dims, [1, 3, 4, 5]);
    await assert.rejects(importModel(model(-1)), /leaves its size open/);
    await matchesOnnxruntime(model(-1), { sizes: { h: 6 } });
  });

  it('suggests a size that an open dimension may have: never 224 images or channels', async () => {
    const m = new OnnxBuilder();
    const file = folder.write(m.output(m.node('Relu', [m.input('x', [1, 'channels', 'height', 'N'])])), 'named.onnx');
    await assert.rejects(importModel(file), /--sizes channels=3,h=224,w=224 /);
    assert.deepEqual(await openSizes(file), ['channels', 'height', 'h', 'N', 'w']);
  });

  it('names elements of no declared type', async () => {
    const m = new OnnxBuilder();
    const file = folder.write(m.output(m.node('Relu', [m.input('x', [1, 3, 4, 4], 'undefined')])), 'untyped.onnx');
    await assert.rejects(importModel(file), /Input "x": has elements of no declared type\. /);
  });

  it('names the remedy for everything that is not a model', async () => {
    const cases: [string, Uint8Array | string, RegExp][] = [
      ['empty', '', /is empty/],
      ['lfs', 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n', /git lfs pull/],
      ['html', '\n<!DOCTYPE html><html><body>404</body></html>', /web page/],
      ['text', 'This is a README, not a model.\n', /text file/],
      ['zip', Buffer.from('PK\x03\x04aaaaaaaaaaaa', 'latin1'), /zip archive/],
      ['tflite', Buffer.from('\x1c\0\0\0TFL3aaaaaaaa', 'latin1'), /TensorFlow Lite/],
      ['h5', Buffer.from('\x89HDF\r\n\x1a\naaaaaaaa', 'latin1'), /HDF5/],
      ['zeros', Buffer.alloc(4096), /damaged/],
      ['ones', Buffer.alloc(4096, 255), /damaged/],
      ['no graph', new ProtoWriter().varint(1, 8).finish(), /no graph/],
    ];
    for (const [name, content, message] of cases) {
      const file = folder.write(Buffer.from(content as Uint8Array), `${name}.onnx`);
      await assert.rejects(
        importModel(file),
        (error: Error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
        name,
      );
    }
    await assert.rejects(importModel(path.join(folder.folder, 'absent.onnx')), /does not exist/);
    await assert.rejects(importModel(folder.folder), /is not a file/);
  });

  it('refuses files that describe more than fits in memory', async function () {
    this.timeout(300_000);
    // Millions of empty nodes in two bytes each.
    const node = new ProtoWriter().message(1, new ProtoWriter()).finish();
    const nodes = Buffer.alloc(node.length * 2_000_000, node);
    const file = folder.write(new ProtoWriter().varint(1, 8).bytes(7, nodes).finish(), 'many.onnx');
    await assert.rejects(importModel(file), /more nodes and names than fit/);
  });

  it('reads long chains without recursion: 40 000 nodes and constants; refuses what it cannot plan', async function () {
    this.timeout(300_000);
    const chain = (
      first: (m: OnnxBuilder) => string,
      last: (m: OnnxBuilder, v: string) => string,
      op: string,
    ): string => {
      const m = new OnnxBuilder();
      let value = first(m);
      for (let i = 0; i < 40_000; i++)
        value = m.node(
          op,
          [value],
          op === 'LeakyRelu' ? { alpha: float(0.99999) } : op === 'Softmax' ? { axis: 1 } : {},
        );
      m.output(last(m, value));
      return folder.write(m, 'chain.onnx');
    };
    const relu = await importModel(
      chain(
        (m) => m.input('x', [1, 2, 3, 3]),
        (_, v) => v,
        'Relu',
      ),
    );
    assert.equal(relu.layers.length, 1);

    await assert.rejects(
      importModel(
        chain(
          (m) => m.input('x', [1, 2, 3, 3]),
          (_, v) => v,
          'Softmax',
        ),
      ),
      /has 4000\d layers, more than the 4096 that can be planned/,
    );

    const leaky = await importModel(
      chain(
        (m) => m.input('x', [1, 2, 3, 3]),
        (_, v) => v,
        'LeakyRelu',
      ),
    );
    assert.ok(leaky.layers.length < 4096, 'functions of functions are joined');

    const constant = await importModel(
      chain(
        (m) => m.floats([1], [2]),
        (m, v) => m.node('Mul', [m.input('x', [1, 2, 3, 3]), v]),
        'Abs',
      ),
    );
    assert.equal(constant.layers.length, 1);
  });
});
