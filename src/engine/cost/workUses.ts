import { isMadeConv, isMadeDepthwise } from './kernelShape';
import { columnOf, isPackable, PLAIN_FORM, type Forms } from './layerForm';
import { COLUMN_CODES, formatBit, noUses, pixelBlocks, type RuntimeUses } from './runtimeUses';
import type { Work } from './work';

/**
 * What calls use before anything is quantized: signs, bounds and biases as they are most often, so that it is seldom
 * less than what the Program uses.
 */
export function workUses(work: readonly Work[], forms: Forms): RuntimeUses {
  const uses = noUses();
  for (const one of work) {
    const { layer, call, extent, outputBits } = one;
    const form = forms.get(layer) ?? PLAIN_FORM;
    const weightBits = form.weights === 'planned' ? (call.weightBits ?? 8) : 8;
    const both = formatBit(call.inputBits, false) | formatBit(call.inputBits, true);
    const [height, width] = [extent.rows.elements / extent.rows.calls, extent.cols.elements / extent.cols.calls];
    if (call.wide) {
      const bits = new Set([call.inputBits, outputBits]);
      for (const b of bits) uses.QMCU_USED_FORMATS |= formatBit(b, true) | (b === 16 ? 0 : formatBit(b, false));
      uses.QMCU_USED_FORMATS |= formatBit(16, true);
      continue;
    }
    uses.QMCU_USED_FORMATS |= both | formatBit(outputBits, false);
    if (call.op === 'conv2d' || call.op === 'fullyConnected') {
      const made = form.made && (call.op === 'fullyConnected' || isMadeConv(call));
      const column = call.op === 'conv2d' ? columnOf(call) : call.inChannels * (call.inputPixels ?? 1);
      const byBlocks = made || (call.op === 'conv2d' && isMadeConv(call) && outputBits >= 4);
      uses.QMCU_USED_FORMATS |= formatBit(weightBits, true);
      uses.QMCU_CONV2D_INPUTS |= both;
      if (made && form.weights === 'packed' && isPackable(one)) {
        const isPoint = call.window!.kernelH === 1 && call.window!.kernelW === 1;
        uses.QMCU_CONV2D_PACKED |= call.inputBits <= 4 ? 1 : isPoint ? 14 : 2;
        continue;
      }
      if (made && call.op === 'fullyConnected') continue;
      const pixels = pixelBlocks(height, width, byBlocks);
      uses[weightBits === 8 ? 'QMCU_CONV2D_PIXELS' : 'QMCU_CONV2D_PIXELS_4'] |= pixels;
      if (call.op === 'conv2d' && !byBlocks) uses.QMCU_CONV2D_ANY = 1;
      if (pixels !== 0 && column > COLUMN_CODES) uses.QMCU_CONV2D_LONG = 1;
      if (byBlocks && column > COLUMN_CODES / 4) uses.QMCU_CONV2D_PARTS = 1;
      if (byBlocks && !made) uses.QMCU_CONV2D_BLOCKS |= weightBits === 8 ? 2 : 1;
      if (byBlocks && !made && (call.inputBits < 8 || weightBits < 8 || outputBits < 8)) {
        uses.QMCU_CONV2D_BOUNDED = 1;
        uses.QMCU_CONV2D_BIAS_SHIFTS = 1;
      }
    } else if (call.op === 'depthwise2d') {
      const { kernelH, strideH } = call.window!;
      const square = isMadeDepthwise(call);
      const polynomial = form.made && kernelH === 3 && strideH === 1 && (weightBits === 4 || call.inputBits <= 4);
      uses.QMCU_USED_FORMATS |= formatBit(weightBits, true);
      uses.QMCU_DEPTHWISE2D_INPUTS |= formatBit(call.inputBits, false);
      uses.QMCU_DEPTHWISE2D_WEIGHTS |= weightBits === 8 ? 2 : 1;
      if (square) uses.QMCU_DEPTHWISE2D_PLANES |= polynomial ? 4 : kernelH === 5 ? 2 : 1;
      if (!square || (!form.made && (outputBits < 4 || call.inputBits < 4))) uses.QMCU_DEPTHWISE2D_TAPS = 1;
      else if (!form.made) uses.QMCU_DEPTHWISE2D_ROWS |= (kernelH === 5 ? 4 : 1) * strideH;
    } else if (call.op === 'add') {
      uses.QMCU_ADD_INPUTS |= 2;
      uses.QMCU_ADD_OUTPUTS |= 2;
      if (call.inputBits === 4) uses.QMCU_ADD_NARROW |= (outputBits === 4 ? 1 : 2) | (form.made ? 4 : 0);
    }
  }
  return uses;
}
