import { selftestCores } from '../engine/emulator/boards';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import type { Progress } from '../engine/common/progress';
import { CancelledError, UserError } from '../engine/common/errors';
import { defaultPlanPath } from '../engine/plan/sidecar';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import { targets } from '../engine/targets/targets';
import { MOST_BYTES } from '../engine/targets/types';
import { commands } from './commandLine';

/** What a tool's client gets besides the answer: progress, and a way to cancel. */
interface Extra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number };
  sendNotification(notification: {
    method: 'notifications/progress';
    params: { progressToken: string | number; progress: number; total?: number; message?: string };
  }): Promise<void>;
}

interface Answer {
  [key: string]: unknown;
  content: { type: 'text'; text: string }[];
  isError?: boolean;
}

/** Progress is sent no more often. */
const PROGRESS_MS = 500;

const model = z.string().describe('Path of the .onnx file');
const plan = z.string().describe('Path of the plan, NAME.quantmcu.json');
const images = z.string().describe('Folder of images (JPEG, PNG) or arrays (.npy, .npz), labelled where required');
const bytes = z.number().int().positive().max(MOST_BYTES);
const boards = targets.map(({ id }) => id).join(', ');
const board = {
  target: z.string().describe(`Board: ${boards}; or custom with sramBytes and flashBytes`),
  sramBytes: bytes.optional().describe('SRAM that the arena may use, instead of the board’s'),
  flashBytes: bytes.optional().describe('Flash for weights, tables and code, instead of the board’s'),
};
const core = z.enum(selftestCores).optional().describe('Default m4, emulated by QEMU; host: this computer');

/**
 * The command line as tools for agents, over the Model Context Protocol: the same commands with the same answers.
 * Those that write say so, so that a client asks its user first.
 */
export function createMcpServer(version: string): McpServer {
  const server = new McpServer(
    { name: 'quantmcu', version },
    {
      instructions:
        'Deploys a CNN (.onnx) to a microcontroller. Order: check_fit, quantize_model, evaluate_plan on other ' +
        'images, generate_firmware, run_selftest. The self-test compares the generated C byte for byte with ' +
        'the simulation.',
    },
  );
  registerLooking(server);
  registerPlanning(server);
  registerFirmware(server);
  return server;
}

const reads = { readOnlyHint: true, openWorldHint: false };
const writes = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false };

/** What a model needs and how a plan does. */
function registerLooking(server: McpServer): void {
  server.registerTool(
    'check_fit',
    {
      title: 'Check which boards a model fits',
      description:
        'SRAM, flash and estimated time of a model on every board, or on one, without images. Takes seconds.',
      inputSchema: { model, target: board.target.optional(), sramBytes: board.sramBytes, flashBytes: board.flashBytes },
      annotations: reads,
    },
    ({ model: file, target, sramBytes, flashBytes }, extra) =>
      run('fit', [file], { target, sram: sramBytes, flash: flashBytes }, extra),
  );
  server.registerTool(
    'evaluate_plan',
    {
      title: 'Evaluate a plan',
      description:
        'Accuracy of the firmware’s integer arithmetic against the float model. Use images other than the ' +
        'calibration images.',
      inputSchema: { plan, images, limit: z.number().int().positive().optional() },
      annotations: reads,
    },
    ({ plan: file, images: folder, limit }, extra) => run('evaluate', [file], { images: folder, limit }, extra),
  );
}

/** Making plans. */
function registerPlanning(server: McpServer): void {
  server.registerTool(
    'quantize_model',
    {
      title: 'Quantize a model',
      description:
        'Searches bits and patches within SRAM, flash and a loss of accuracy, and writes the plan and its ' +
        'parameters beside the model. Takes a minute or more. `meets` reports whether each constraint is met.',
      inputSchema: {
        model,
        images,
        ...board,
        accuracyBudget: z.number().min(0).max(100).optional().describe('Points of top-1 that may be lost; default 1'),
        maxMs: z.number().positive().optional().describe('Upper limit in milliseconds for one inference'),
        preprocess: z.string().optional().describe('auto (default), imagenet, tf, unit, raw, or a JSON file'),
        limit: z.number().int().positive().optional().describe('Use at most this many images; default 128'),
        out: z.string().optional().describe('Path of the plan; default: next to the model'),
      },
      annotations: writes,
    },
    async ({ model: file, images: folder, target, sramBytes, flashBytes, accuracyBudget, maxMs, ...more }, extra) => {
      const options = {
        images: folder,
        target,
        sram: sramBytes,
        flash: flashBytes,
        'accuracy-budget': accuracyBudget ?? 1,
        'latency-budget': maxMs,
        preprocess: more.preprocess,
        limit: more.limit ?? 128,
        out: more.out ?? defaultPlanPath(file),
      };
      return run('quantize', [file], options, extra, (json) => withVerdict(json as QuantizeSummary, maxMs));
    },
  );
  server.registerTool(
    'sweep_plans',
    {
      title: 'Weigh plans against each other',
      description: 'SRAM, time and accuracy of several reductions of BitOPs; writes a table into `out`. Takes minutes.',
      inputSchema: {
        model,
        images,
        ...board,
        reductions: z.array(z.number().min(1).max(16)).min(1).max(12).describe('e.g. [1.5, 2.2, 3]'),
        evaluate: z.string().optional().describe('Folder of labelled images'),
        out: z.string().describe('Folder for the table'),
      },
      annotations: writes,
    },
    ({ model: file, images: folder, target, sramBytes, flashBytes, reductions, evaluate, out }, extra) => {
      const sizes = { target, sram: sramBytes, flash: flashBytes };
      return run(
        'sweep',
        [file],
        { images: folder, ...sizes, 'bitops-target': reductions.join(), evaluate, out },
        extra,
      );
    },
  );
}

/** From a plan to C, and the proof of it. */
function registerFirmware(server: McpServer): void {
  server.registerTool(
    'generate_firmware',
    {
      title: 'Generate C sources',
      description:
        'Writes C99 sources of a plan into a firmware project. Files that were not generated, or were edited ' +
        'since, stay as they are. With dryRun it only reports what would be written.',
      inputSchema: {
        plan,
        project: z.string().describe('Folder of the firmware project'),
        layout: z.string().optional().describe('Kind of project; detected when missing'),
        editBuild: z.boolean().optional().describe('Also add the sources to the build file, in a marked block'),
        dryRun: z.boolean().optional(),
      },
      annotations: writes,
    },
    ({ plan: file, project, layout, editBuild, dryRun }, extra) =>
      run('generate', [file], { project, layout, 'edit-build': editBuild, 'dry-run': dryRun }, extra),
  );
  server.registerTool(
    'run_selftest',
    {
      title: 'Run the self-test',
      description:
        'Builds the generated C with its self-test and runs it on an emulated Cortex-M or this computer: outputs are ' +
        'compared byte for byte with the simulation.',
      inputSchema: { plan, core },
      annotations: { ...reads, readOnlyHint: true },
    },
    ({ plan: file, core: on }, extra) => run('selftest', [file], { core: on }, extra),
  );
}

/** Serves on standard input and output until the client leaves. */
export async function serveMcp(version: string): Promise<void> {
  const server = createMcpServer(version);
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    process.stdin.once('end', resolve);
  });
  await server.connect(new StdioServerTransport());
  await closed;
}

/** Runs a command and gives its JSON, or its one line of error, as a tool's answer. */
async function run(
  name: string,
  positionals: readonly string[],
  options: Readonly<Record<string, string | number | boolean | undefined>>,
  extra: Extra,
  finish: (json: unknown) => unknown = (json) => json,
): Promise<Answer> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  const values = Object.fromEntries(given.map(([key, value]) => [key, value === true ? true : String(value)]));
  try {
    const { json } = await commands.get(name)!.run(positionals, values, progressOf(extra));
    return { content: [{ type: 'text', text: JSON.stringify(finish(json)) }] };
  } catch (error) {
    if (!(error instanceof UserError || error instanceof CancelledError)) throw error;
    return { content: [{ type: 'text', text: error.message }], isError: true };
  }
}

function progressOf(extra: Extra): Progress {
  const token = extra._meta?.progressToken;
  let last = 0;
  return {
    report: (stage, done, total, overall) => {
      const now = Date.now();
      if (token === undefined || now - last < PROGRESS_MS) return;
      last = now;
      const params = overall
        ? { progress: overall.share, total: 1, message: `${stage} (step ${overall.step} of ${overall.steps})` }
        : { progress: done, ...(total > 0 ? { total } : {}), message: stage };
      extra
        .sendNotification({ method: 'notifications/progress', params: { progressToken: token, ...params } })
        .catch(() => undefined);
    },
    isCancelled: () => extra.signal.aborted,
  };
}

/** A summary without its long lists, and whether each constraint is met; null where nothing was asked or is known. */
function withVerdict({ pareto: _, ...summary }: QuantizeSummary, maxMs: number | undefined): object {
  const { memory, loss, latencyMs } = summary;
  return {
    ...summary,
    meets: {
      sram: memory.arenaBytes <= memory.sramBytes,
      loss: loss?.budget == null ? null : loss.expected <= loss.budget,
      time: maxMs === undefined || latencyMs === null ? null : latencyMs <= maxMs,
    },
  };
}
