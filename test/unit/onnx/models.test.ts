import * as assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { UserError } from '../../../src/engine/common/errors';
import { graphMacs } from '../../../src/engine/graph/macs';
import { describeModel, importModel } from '../../../src/engine/onnx';
import { matchesOnnxruntime, tapsMatch } from '../../support/onnxOracle';
import { needSharedData } from '../../support/sharedData';

/** MACs in millions as the models' own documentation gives them. */
const MACS: Record<string, number> = {
  face_rfb320: 100.4,
  kws_dscnn_mlperf: 2.7,
  mcunet_vww_80: 11.6,
  'mobilenetv1_0.25_224_imagenet': 41.0,
  'mobilenetv1_0.25_224_imagenet_bn': 41.0,
  'mobilenetv1_0.25_96_imagenet': 7.7,
  'mobilenetv2_1.0_224_ort_qdq': 300.8,
  'mobilenetv2_1.0_224_tv': 300.8,
  resnet20_cifar10: 40.8,
  resnet20_cifar10_bn: 40.8,
  resnet8_cifar10_mlperf: 12.5,
  resnet8_cifar10_mlperf_bn: 12.5,
  'squeezenet1.1_224_imagenet': 349.2,
  'vww_mobilenetv1_0.25_96_mlperf': 7.5,
  'vww_mobilenetv1_0.25_96_mlperf_bn': 7.5,
};

describe('onnx: real models', function () {
  this.timeout(300_000);

  for (const [name, macs] of Object.entries(MACS)) {
    it(`${name} equals onnxruntime, at its outputs and every tap`, async function () {
      const file = needSharedData(this, 'models', `${name}.onnx`);
      const description = await describeModel(file);
      assert.deepEqual(description.problems, []);
      assert.equal((description.macs! / 1e6).toFixed(1), macs.toFixed(1));
      if (name.endsWith('qdq')) {
        // The file rounds to 8 bits everywhere; the float graph can only be close to it.
        const { graph } = await matchesOnnxruntime(file, { tolerance: 0.35 });
        assert.ok(graph.layers.every((layer) => layer.kind !== 'depthwise' || layer.window.kernelH === 3));
        return;
      }
      const { graph } = await matchesOnnxruntime(file);
      assert.equal((graphMacs(graph) / 1e6).toFixed(1), macs.toFixed(1));
      assert.equal(graph.taps.size, graph.maps.length);
      assert.equal(await tapsMatch(readFileSync(file), graph), graph.maps.length - graph.inputs.length);
      // Nothing is left of BatchNormalization, Relu and Transpose.
      assert.ok(
        graph.layers.every(
          (layer) =>
            !(layer.kind === 'depthwise' && layer.window.kernelH * layer.window.kernelW === 1) &&
            layer.kind !== 'activation' &&
            layer.kind !== 'permute',
        ),
      );
    });
  }

  it('quantized and float MobileNetV2 of one source agree', async function () {
    const [a, b] = await Promise.all(
      ['mobilenetv2_1.0_224_ort_qdq', 'mobilenetv2_1.0_224_tv'].map((name) =>
        importModel(needSharedData(this, 'models', `${name}.onnx`)),
      ),
    );
    assert.deepEqual(
      a.layers.map((l) => l.kind),
      b.layers.map((l) => l.kind),
    );
    // Relu6 stands in both: the quantizer removed the nodes of the first, the saturation of its codes remains.
    a.layers.forEach((layer, i) => {
      const other = b.layers[i];
      if (!('clamp' in layer) || !('clamp' in other)) return;
      assert.equal(layer.clamp.min, other.clamp.min, layer.name);
      if (other.clamp.max !== null) assert.ok(layer.clamp.max !== null && layer.clamp.max <= 6.01, layer.name);
    });
  });
});

/** What each hostile file must do: import, or fail with one line that says this. */
const HOSTILE: Record<string, RegExp | 'imports'> = {
  '00_valid_small': 'imports',
  '01_empty': /empty/,
  '02_truncated': /cut off/,
  '04_text': /web page/,
  '05_lfs_pointer': /git lfs pull/,
  '06_huge_dims_no_data': /w0.*holds 0 bytes/,
  '09_external_path_traversal': /outside the model's folder/,
  '10_external_missing_file': /missing_weights\.bin.*does not exist/,
  '11_external_ok': 'imports',
  '13_missing_initializer': /pw.*"w2", which nothing defines/,
  '14_unknown_op_domain': /fancy.*com\.example/,
  '16_dynamic_batch_hw': /"H" and "W".*--size/,
  '18_zero_sized_dims': /1×3×0×0/,
  '19_nan_inf_weights': /conv0.*NaN/,
  '21_already_int8_qdq': 'imports',
  '23_fp16': 'imports',
  '24_non_image_1d': 'imports',
  '25_multi_input': 'imports',
  '27_if_control_flow': /If "if0".*control flow/,
  '29_duplicate_node_names': 'imports',
  '30_empty_names': 'imports',
  '31_nasty_names': 'imports',
  '33_deep_subgraphs_24': /control flow/,
  '35_opset1': 'imports',
  '36_newest_opset': 'imports',
  '38_grouped_conv': 'imports',
  '40_dilated_conv': 'imports',
  '42_1x1_image': 'imports',
  '43_conv_transpose': 'imports',
  '45_no_nodes': /no layers/,
  '46_no_graph': /no graph/,
  '48_not_topologically_sorted': 'imports',
  '50_output_not_produced': /nowhere.*not produced by any node/,
  '52_stride_zero': /strides of 0/,
  '54_3000_node_chain': 'imports',
  '55_batch8': /batch of 8/,
  '57_uint8_input': 'imports',
};

/** Files that onnxruntime itself does not load. */
const BEYOND_ONNXRUNTIME = new Set(['29_duplicate_node_names', '35_opset1', '36_newest_opset']);

describe('onnx: hostile models', function () {
  this.timeout(300_000);

  it('every file of the collection is listed', function () {
    const files = readdirSync(needSharedData(this, 'hostile')).filter((name) => name.endsWith('.onnx'));

    assert.deepEqual(files.map((name) => name.replace('.onnx', '')).sort(), Object.keys(HOSTILE).sort());
  });

  for (const [name, expected] of Object.entries(HOSTILE)) {
    it(name, async function () {
      const file = needSharedData(this, 'hostile', `${name}.onnx`);
      if (expected === 'imports') {
        const description = await describeModel(file);
        assert.deepEqual(description.problems, []);
        if (BEYOND_ONNXRUNTIME.has(name)) await importModel(file);
        else
          await matchesOnnxruntime(file, {
            tolerance: name.includes('fp16') ? 4e-3 : name.includes('qdq') ? 0.05 : 1e-4,
          });
        return;
      }
      await assert.rejects(importModel(file), (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, expected);
        assert.ok(!error.message.includes('\n') && error.message.startsWith(name));
        return true;
      });
      // Described all the same, or refused with the same kind of message.
      const description = await describeModel(file).catch((error: unknown) => error);
      if (description instanceof Error) assert.ok(description instanceof UserError);
      else assert.ok(name.startsWith('19') || (description as { problems: unknown[] }).problems.length > 0);
    });
  }

  it('16_dynamic_batch_hw with sizes by symbol or by h and w', async function () {
    const file = needSharedData(this, 'hostile', '16_dynamic_batch_hw.onnx');
    for (const sizes of [
      { H: 32, W: 40 },
      { h: 32, w: 40 },
    ] as Record<string, number>[])
      await matchesOnnxruntime(file, { sizes });
    await assert.rejects(importModel(file, { sizes: { h: 0, w: 1 } }), UserError);
    await assert.rejects(importModel(file, { sizes: { h: 1e9, w: 1e9 } }), UserError);
    await assert.rejects(importModel(file, { sizes: { h: 1.5, w: 32 } }), UserError);
  });
});
