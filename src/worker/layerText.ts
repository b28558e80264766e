import { isWeighted, type Layer, type Window } from '../engine/graph/types';

/** The layer's geometry in a few characters, e.g. `3×3 s2`. */
export function layerDetail(layer: Layer): string {
  switch (layer.kind) {
    case 'conv':
      return join(windowText(layer.window), layer.group > 1 && `g${layer.group}`);
    case 'depthwise':
    case 'maxPool':
    case 'averagePool':
      return windowText(layer.window);
    case 'add':
      return layer.signs.includes(-1) ? layer.signs.map((sign) => (sign > 0 ? '+' : '−')).join('') : '';
    case 'concat':
      return `axis ${layer.axis}`;
    case 'pad':
      return [layer.padding.top, layer.padding.left, layer.padding.bottom, layer.padding.right].join(',');
    case 'resize':
      if (layer.pick) return 'picked pixels';
      return (
        `${layer.mode} ` +
        `×${Number(layer.scaleH.toFixed(2))}` +
        (layer.scaleH === layer.scaleW ? '' : `,${Number(layer.scaleW.toFixed(2))}`)
      );
    case 'activation':
      return layer.fn.name === 'formula' ? layer.fn.label : layer.fn.name;
    case 'slice':
      return `${layer.begin}…${layer.end - 1}`;
    case 'fullyConnected':
    case 'mul':
    case 'prelu':
    case 'softmax':
    case 'normalize':
    case 'reshape':
    case 'permute':
      return '';
  }
}

/** Weights and biases, or slopes. */
export function parameterCount(layer: Layer): number {
  if (isWeighted(layer)) return layer.weights.length + layer.bias.length;
  return layer.kind === 'prelu' ? layer.slopes.length : 0;
}

function windowText({ kernelH, kernelW, strideH, strideW, dilationH, dilationW }: Window): string {
  const pair = (h: number, w: number): string => (h === w ? `${h}` : `${h},${w}`);
  return join(
    `${kernelH}×${kernelW}`,
    (strideH > 1 || strideW > 1) && `s${pair(strideH, strideW)}`,
    (dilationH > 1 || dilationW > 1) && `d${pair(dilationH, dilationW)}`,
  );
}

function join(...parts: (string | false)[]): string {
  return parts.filter((part) => part !== false && part !== '').join(' ');
}
