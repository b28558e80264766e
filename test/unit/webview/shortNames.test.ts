import assert from 'node:assert/strict';
import { shortNames } from '../../../webview/layers/shortNames';

const short = (...names: [string, string][]): string[] =>
  shortNames(names.map(([name, operators]) => ({ name, operators })));

describe('short layer names', () => {
  it('drops what exporters repeat', () => {
    assert.deepEqual(
      short(
        ['/features/features.2/conv/conv.1/Conv', 'Conv + Clip'],
        ['/features/features.3/Add', 'Add'],
        ['/layer1/layer1.0/conv1/Conv', 'Conv'],
      ),
      ['features.2/conv.1', 'features.3', 'layer1.0/conv1'],
    );
  });

  it('leaves names alone that would become the same', () => {
    assert.deepEqual(short(['/a/Conv', 'Conv'], ['/a/Add', 'Add']), ['/a/Conv', '/a/Add']);
  });

  it('leaves names without a path and very long ones alone', () => {
    const long = `/a/${'b'.repeat(10_000)}`;
    assert.deepEqual(short(['conv1', 'Conv'], ['', 'Conv'], [long, 'Conv'], ['/', 'Conv']), ['conv1', '', long, '/']);
  });
});
