import assert from 'node:assert/strict';
import manifest from '../../../package.json';
import { DEFAULTS } from '../../../src/engine/run/options';

describe('defaults', () => {
  it('of the settings are those of the engine', () => {
    const { properties } = manifest.contributes.configuration;
    assert.equal(properties['quantmcu.phi'].default, DEFAULTS.phi);
    assert.equal(properties['quantmcu.lambda'].default, DEFAULTS.lambda);
    assert.equal(properties['quantmcu.epsilon'].default, DEFAULTS.epsilon);
    assert.deepEqual(properties['quantmcu.activationBits'].default, [...DEFAULTS.bits]);
  });
});
