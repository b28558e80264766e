import type { Padding, Window } from '../../../graph/types';
import type { Draft, DraftLayer } from '../draft';
import { bypass } from './rewrite';

/** Moves constant padding into the windows that read it, where they compute the same with it. */
export function foldPadding(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    const { spec } = layer;
    if (spec.kind !== 'pad' || layer.output.isOutput) continue;
    const readers = [...layer.output.consumers];
    const absorbed = readers.map((reader) =>
      reader.inputs.length === 1 ? withPadding(reader, spec.padding, spec.value) : null,
    );
    if (readers.length === 0 || absorbed.includes(null)) continue;
    readers.forEach((reader, i) => {
      reader.spec = absorbed[i]!;
      bypass(draft, reader, layer);
    });
    dead.add(layer);
  }
  draft.remove(dead);
  return dead.size > 0;
}

function withPadding(reader: DraftLayer, padding: Padding, value: number): DraftLayer['spec'] | null {
  const { spec } = reader;
  switch (spec.kind) {
    case 'conv':
    case 'depthwise':
      return value === 0 ? { ...spec, window: padded(spec.window, padding) } : null;
    case 'maxPool': {
      const window = padded(spec.window, padding);
      // Below everything, and no window sees nothing else.
      return value === -Infinity && leavesPixels(window) ? { ...spec, window } : null;
    }
    case 'averagePool': {
      const { top, left, bottom, right } = spec.window.padding;
      const window = padded(spec.window, padding);
      // The padded zeros count like pixels, so all padding must be theirs.
      return value === 0 && top + left + bottom + right === 0 && leavesPixels(window)
        ? { ...spec, window, countIncludePad: true }
        : null;
    }
    default:
      return null;
  }
}

function padded(window: Window, by: Padding): Window {
  const { top, left, bottom, right } = window.padding;
  return {
    ...window,
    padding: { top: top + by.top, left: left + by.left, bottom: bottom + by.bottom, right: right + by.right },
  };
}

function leavesPixels({ padding, kernelH, kernelW, dilationH, dilationW }: Window): boolean {
  const extentH = (kernelH - 1) * dilationH + 1;
  const extentW = (kernelW - 1) * dilationW + 1;
  return Math.max(padding.top, padding.bottom) < extentH && Math.max(padding.left, padding.right) < extentW;
}
