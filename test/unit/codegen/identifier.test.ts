import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toIdentifier } from '../../../src/engine/codegen';

describe('toIdentifier', () => {
  it('keeps what can be kept', () => {
    assert.equal(toIdentifier('gauge.onnx'), 'gauge');
    assert.equal(toIdentifier('models/mobilenetv2_1.0_224_tv.onnx'), 'mobilenetv2_1_0_224_tv');
    assert.equal(toIdentifier('C:\\Models\\My Model (v2).ONNX'), 'my_model_v2');
    assert.equal(toIdentifier('Café-Zähler.onnx'), 'cafe_zahler');
  });

  it('avoids digits in front, keywords, headers and the prefixes of the runtime', () => {
    assert.equal(toIdentifier('224_net.onnx'), 'model_224_net');
    assert.equal(toIdentifier('int.onnx'), 'int_model');
    assert.equal(toIdentifier('Class.onnx'), 'class_model');
    assert.equal(toIdentifier('string.onnx'), 'string_model');
    assert.equal(toIdentifier('main.onnx'), 'main_model');
    assert.equal(toIdentifier('qmcu_conv2d.onnx'), 'model_qmcu_conv2d');
    assert.equal(toIdentifier('quantmcu.onnx'), 'model_quantmcu');
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
