import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { cachedCalibration, defaultCachePath } from '../engine/calibration/cache';
import { cameraOf, choice, count, one, optimizeOf, required, taskOption, sizesOf, type Values } from './commandOptions';
import { UserError } from '../engine/common/errors';
import { GENERATOR } from '../engine/common/generator';
import { evaluateCommand } from './evaluationCommands';
import { describeModel } from '../engine/onnx';
import { visible } from '../engine/common/visible';
import { openPlan, type OpenedPlan } from '../engine/planned/open';
import type { Progress } from '../engine/common/progress';
import { inspectPlan } from './inspectPlan';
import { quantizeCommand } from './quantizeCommand';
import { exportCommand } from './exportCommand';
import { fitCommand } from './fitCommand';
import { generateCommand, removeCommand, selftestCommand } from './projectCommands';
import { sweepCommand } from './sweepCommand';
import { commandHelp } from './help';
import { flag, text, type Command, type CommandResult } from './command';
import { selftestCores } from '../engine/emulator/boards';
import { CAMERA_FORMATS } from '../engine/calibration/camera';
import { targets } from '../engine/targets/targets';
import { arenaTarget } from '../engine/targets/capacity';

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'inspect',
    {
      synopsis: 'inspect MODEL|PLAN [--sizes NAME=N,…]',
      summary: 'layers, shapes, operators and problems of an ONNX model; the bits of a plan and the reasons for them',
      options: { sizes: text },
      example: 'inspect model.onnx',
      run: inspect,
    },
  ],
  ['fit', fitCommand],
  ['quantize', quantizeCommand],
  [
    'generate',
    {
      synopsis:
        'generate PLAN --project DIR [--layout ID] [--optimize size|balanced|speed] [--runtime shared|own] ' +
        '[--cores target|all] [--selftest checksum|stored] ' +
        '[--camera rgb565|rgb565be|yuyv|uyvy|bgr888|rgb888|gray --camera-size WxH [--scale box|nearest]] ' +
        '[--dry-run] [--edit-build] [--overwrite-edited]',
      summary:
        'write C sources into a firmware project; --edit-build also adds them to its build file, in a marked ' +
        "block; --optimize, in place of the plan's: use layer-specific kernels and wider weights never, where " +
        'a byte of flash saves enough, or wherever there is room; --runtime own: one self-contained folder; ' +
        '--cores all: kernels for other cores too; --selftest stored: pictures and outputs in flash; --camera: ' +
        "add a reader for a camera's lines or pictures, cropped and scaled as the plan says",
      options: {
        project: text,
        layout: text,
        optimize: text,
        runtime: text,
        cores: text,
        selftest: text,
        camera: text,
        'camera-size': text,
        scale: text,
        'dry-run': flag,
        'edit-build': flag,
        'overwrite-edited': flag,
      },
      example: 'generate model.quantmcu.json --project firmware --edit-build',
      optionHelp: {
        optimize: { value: 'size|balanced|speed', text: 'what the C code is optimized for', fallback: "the plan's" },
        runtime: {
          value: 'shared|own',
          text: "kernels in one folder for all models of the project, or in the model's own folder",
          fallback: 'shared',
        },
        cores: { value: 'target|all', text: "kernels for the plan's core, or for every core", fallback: 'target' },
        selftest: {
          value: 'checksum|stored',
          text: 'compare with checksums, or with pictures and outputs stored in flash',
          fallback: 'checksum',
        },
        camera: { value: 'FORMAT', text: `add a reader for a camera's pictures: ${CAMERA_FORMATS.join(', ')}` },
        'camera-size': { value: 'WxH', text: "the camera's columns x rows, such as 320x240" },
        scale: { value: 'box|nearest', text: 'how pictures are scaled', fallback: 'box' },
        'edit-build': { text: "add the sources to the project's build file, in a marked block" },
        'overwrite-edited': { text: 'overwrite generated files that were edited' },
      },
      run: runGenerate,
    },
  ],
  [
    'remove',
    {
      synopsis: 'remove --project DIR --name NAME [--dry-run]',
      summary: "remove a model's generated sources from a firmware project",
      options: { project: text, name: text, 'dry-run': flag },
      example: 'remove --project firmware --name model',
      optionHelp: { name: { value: 'NAME', text: 'the model, by the name of its folder', fallback: 'required' } },
      run: runRemove,
    },
  ],
  [
    'selftest',
    {
      synopsis: 'selftest PLAN [--core m0plus|m3|m4|m7|m33|m55|host]',
      summary: 'build the generated self-test and run it on an emulated Cortex-M or this computer',
      options: { core: text },
      example: 'selftest model.quantmcu.json --core m4',
      optionHelp: {
        core: { value: selftestCores.join('|'), text: 'emulated core; host: this computer', fallback: 'm4' },
      },
      run: runSelftest,
    },
  ],
  [
    'evaluate',
    {
      synopsis:
        'evaluate PLAN --images DIR [--annotations DIR|FILE.json] [--task classify|binary|regress|detect] ' +
        '[--limit N] [--layers] ' +
        '[--predictions FILE.csv] [--threads N] [--force]',
      summary:
        "accuracy of the firmware's integer arithmetic against float; --layers also compares every layer's output",
      options: {
        images: text,
        annotations: text,
        task: text,
        limit: text,
        layers: flag,
        predictions: text,
        force: flag,
        threads: text,
      },
      example: 'evaluate model.quantmcu.json --images labelled-photos --limit 500',
      optionHelp: {
        images: { value: 'DIR', text: 'images, labelled by labels.csv or by their folders', fallback: 'required' },
        annotations: {
          value: 'DIR|FILE.json',
          text: "a detector's boxes: VOC .xml, YOLO .txt or COCO .json",
          fallback: 'next to the images',
        },
        layers: { text: "compare every layer's output, too" },
        predictions: { value: 'FILE.csv', text: 'write the answer for each image', fallback: 'none' },
        force: { text: "overwrite a file of predictions that is not QuantMCU's" },
      },
      run: runEvaluate,
    },
  ],
  ['sweep', sweepCommand],
  ['export', exportCommand],
  [
    'targets',
    {
      synopsis: 'targets',
      summary: 'boards that a plan can be made for',
      options: {},
      example: 'targets',
      run: runTargets,
    },
  ],
]);

/** The files a user gives, and what is used if they give none. */
const FILES = `Defaults of quantize: the fastest plan on the board with at most 1 point of top-1 expected to be lost
(--accuracy-budget 1); feature maps of 8 and 4 bits, weights auto, static classes, phi 0.999, epsilon 0.01, lambda 0.5
(--search entropy only); a quarter of the flash reserved for the application.

--preprocess: auto tries imagenet, tf, unit and raw on image classifiers and reports its choice; otherwise unit, and
for detectors stretch or letterbox. imagenet: x/255, ImageNet's mean and deviation; tf: x/127.5 - 1; unit: x/255; raw:
0 to 255; all crop the center. stretch and letterbox: x/255, the whole image. Append +stretch, +letterbox, +crop, +rgb,
+bgr or +gray to a name. FILE.json: an object with any of preset, resize (crop, stretch, fit), cropFraction, fill,
channels, scale, mean and std: value = (pixel * scale - mean) / std.

labels.csv next to the images: a line "file,class_index", then a line for each image; classes count from 0. Without it,
folders name the classes.

--head FILE.json: the boxes of a detector, see docs/sidecar.md.
`;

/**
 * What is printed where the version or help is asked for, of all commands or of one, or where no command is given; null
 * otherwise.
 */
export function helpFor([name, ...rest]: readonly string[]): string | null {
  if (name === undefined) return usage();
  if (name === 'version' || name === '--version') return `${GENERATOR}\n`;
  if (name === 'help' || name === '--help' || name === '-h')
    return rest.length === 0 ? usage() : commandHelp(commands, rest[0]);
  return rest.includes('--help') && name !== 'mcp' ? commandHelp(commands, name) : null;
}

function usage(): string {
  const lines = [...commands.values()].map((c) => `  quantmcu ${c.synopsis}\n      ${c.summary}`);
  return (
    `Mixed-precision, patch-based inference for microcontrollers.\n\n${lines.join('\n')}\n  quantmcu mcp\n      ` +
    'these commands as tools for agents, on standard input and output (Model Context Protocol)\n\nWith --json ' +
    `each command prints one JSON object on stdout, with --problems errors as lines FILE: error: MESSAGE.\n` +
    `"quantmcu help COMMAND" explains the options of one command, with their defaults and an example; ` +
    `"quantmcu --version" prints the version.\n\n${FILES}`
  );
}

async function inspect(positionals: readonly string[], values: Values): Promise<CommandResult> {
  const file = one(positionals, 'MODEL or PLAN');
  if (/\.json$/i.test(file)) return inspectPlan(await open(file));
  const model = await describeModel(file, { sizes: await sizesOf(values, file) });
  const rows = model.nodes.map(({ name, opType, outputShapes: [shape], macs }) =>
    [visible(name), visible(opType), shape?.map((d) => visible(String(d ?? '?'))).join('×') ?? '?', macs ?? ''].join(
      '\t',
    ),
  );
  const problems = model.problems.map(
    (p) => `! ${visible(p.opType)} "${visible(p.node)}": ${visible(p.message)}. ${visible(p.remedy)}`,
  );
  return {
    text: [
      `${visible(model.graphName || path.basename(file))}: ${model.nodes.length} nodes, ${model.parameters.count} ` +
        `parameters, ${model.macs ?? '?'} MACs`,
      ...rows,
      ...problems,
    ].join('\n'),
    json: model,
  };
}

async function runGenerate(positionals: readonly string[], values: Values): Promise<CommandResult> {
  const opened = await open(one(positionals, 'PLAN'));
  return generateCommand(opened, {
    optimize: optimizeOf(values),
    runtime: choice(values, 'runtime', ['shared', 'own']),
    cores: choice(values, 'cores', ['target', 'all']),
    selftest: choice(values, 'selftest', ['checksum', 'stored']),
    camera: cameraOf(values),
    project: await projectFolder(values),
    layout: typeof values.layout === 'string' ? values.layout : undefined,
    dryRun: values['dry-run'] === true,
    editBuild: values['edit-build'] === true,
    overwriteEdited: values['overwrite-edited'] === true,
  });
}

async function runRemove(positionals: readonly string[], values: Values): Promise<CommandResult> {
  if (positionals.length > 0)
    throw new UserError('remove takes no file: give the project with --project and the model with --name.');
  return removeCommand(await projectFolder(values), required(values, 'name'), values['dry-run'] === true);
}

async function runSelftest(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult> {
  return selftestCommand(
    await open(one(positionals, 'PLAN')),
    typeof values.core === 'string' ? values.core : 'm4',
    progress,
  );
}

/** The firmware project that was given. */
async function projectFolder(values: Values): Promise<string> {
  const project = required(values, 'project');
  const stat = await fs.stat(project).catch(() => null);
  if (!stat?.isDirectory())
    throw new UserError(`${project} is not a folder. Give the firmware project's folder with --project.`);
  return project;
}

async function runEvaluate(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult> {
  const threads = count(values, 'threads');
  return evaluateCommand(
    await open(one(positionals, 'PLAN')),
    {
      images: required(values, 'images'),
      annotations: typeof values.annotations === 'string' ? values.annotations : undefined,
      task: taskOption(values),
      limit: count(values, 'limit'),
      layers: values.layers === true,
      threads: threads === 0 ? undefined : threads,
      predictions: typeof values.predictions === 'string' ? values.predictions : undefined,
      force: values.force === true,
    },
    progress,
  );
}

async function runTargets(positionals: readonly string[]): Promise<CommandResult> {
  if (positionals.length > 0) throw new UserError(`targets lists all boards; it takes no "${positionals[0]}".`);
  const rows = targets.map((t) => {
    const { sramBytes, flashBytes } = arenaTarget(t, {});
    return {
      id: t.id,
      name: t.name,
      core: t.core,
      clockMHz: t.clockMHz,
      sramBytes,
      flashBytes,
      regions: t.regions,
      source: t.source,
    };
  });
  return {
    text: rows
      .map(
        (r) =>
          `${r.id.padEnd(16)} ${r.name} (${r.core}, ${r.sramBytes / 1024} KiB SRAM, ${r.flashBytes / 1024} KiB flash)`,
      )
      .join('\n'),
    json: { targets: rows },
  };
}

/** Opens a plan; calibrations cached on this machine serve plans whose bits were edited by hand. */
function open(planPath: string): Promise<OpenedPlan> {
  return openPlan(planPath, { calibration: (key, graph) => cachedCalibration(defaultCachePath(), key, graph) });
}
