import { promises as fs } from 'node:fs';
import { flag, text, type Command } from './command';
import { one, oneOf, required } from './commandOptions';
import { UserError } from '../engine/common/errors';
import { exportQdq } from '../engine/export/qdq';
import { assertReplaceable } from '../engine/plan/ownFile';
import { writeFilesWhole } from '../engine/plan/files';
import { openPlan } from '../engine/planned/open';
import { cachedCalibration, defaultCachePath } from '../engine/calibration/cache';

/** `export`: the quantized network for other tools. */
export const exportCommand: Command = {
  synopsis: 'export PLAN [--format qdq] [--force] --out FILE.onnx',
  summary: 'the quantized network as ONNX with QuantizeLinear and DequantizeLinear, to evaluate elsewhere',
  options: { format: text, out: text, force: flag },
  example: 'export model.quantmcu.json --format qdq --out model.qdq.onnx',
  optionHelp: {
    format: { value: 'qdq', text: 'ONNX with QuantizeLinear and DequantizeLinear', fallback: 'qdq' },
    out: { value: 'FILE.onnx', text: 'the file to write', fallback: 'required' },
    force: { text: "overwrite a file that is not QuantMCU's" },
  },
  run: async (positionals, values) => {
    const planPath = one(positionals, 'PLAN');
    oneOf(values, 'format', ['qdq'] as const, 'qdq');
    const out = required(values, 'out');
    if (!/\.onnx$/i.test(out)) throw new UserError(`--out must name an .onnx file, not ${out}.`);
    const opened = await openPlan(planPath, {
      calibration: (key, graph) => cachedCalibration(defaultCachePath(), key, graph),
    });
    if (await isSameFile(out, opened.modelPath))
      throw new UserError(`${out} is the plan's model itself. Choose another name.`);
    await assertReplaceable(out, 'qdq', values.force === true);
    const { bytes, notes } = exportQdq(opened);
    await writeFilesWhole([{ path: out, data: bytes }]);
    return {
      text: [`${out}: ${bytes.length} bytes`, ...notes].join('\n'),
      json: { file: out, bytes: bytes.length, notes },
    };
  },
};

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map((file) => fs.stat(file).catch(() => null)));
  return x !== null && y !== null && x.ino === y.ino && x.dev === y.dev;
}
