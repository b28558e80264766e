import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toIdentifier } from '../../../src/engine/codegen';

describe('toIdentifier', () => {
  const identifiers: [says: string, names: Record<string, string>][] = [
    [
      'keeps what can be kept',
      {
        'gauge.onnx': 'gauge',
        'models/mobilenetv2_1.0_224_tv.onnx': 'mobilenetv2_1_0_224_tv',
        'C:\\Models\\My Model (v2).ONNX': 'my_model_v2',
        'Café-Zähler.onnx': 'cafe_zahler',
      },
    ],
    [
      'avoids digits in front, keywords, headers and the prefixes of the runtime',
      {
        '224_net.onnx': 'model_224_net',
        'int.onnx': 'int_model',
        'Class.onnx': 'class_model',
        'string.onnx': 'string_model',
        'main.onnx': 'main_model',
        'qmcu_conv2d.onnx': 'model_qmcu_conv2d',
        'quantmcu.onnx': 'model_quantmcu',
      },
    ],
  ];
  for (const [says, names] of identifiers)
    it(says, () => {
      for (const [file, name] of Object.entries(names)) assert.equal(toIdentifier(file), name);
    });

  it('gives names that ASCII cannot tell apart a piece of their hash', () => {
    assert.equal(toIdentifier('.onnx'), 'model');
    assert.equal(toIdentifier(''), 'model');
    assert.match(toIdentifier('模型.onnx'), /^model_[0-9a-f]{8}$/);
    assert.notEqual(toIdentifier('模型.onnx'), toIdentifier('网络.onnx'));
    const long = 'x'.repeat(200);
    assert.notEqual(toIdentifier(`${long}1.onnx`), toIdentifier(`${long}2.onnx`));
  });

  it('is a short identifier for any file name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (file) => {
        const name = toIdentifier(file);
        assert.match(name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
        assert.ok(name.length <= 49);
      }),
      { numRuns: 2000 },
    );
  });
});
