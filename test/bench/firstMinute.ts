import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Locator } from 'playwright-core';
import { Workbench } from '../e2e/workbench';
import { fixtures } from '../firmware/layouts/fixtures';
import { projectRoot } from '../support/paths';
import { sharedData } from '../support/sharedData';

interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface FirstMinuteOptions {
  readonly start: (run: number) => Promise<Server>;
  readonly folder: string;
  readonly repeat: number;
  readonly lead: string;
}

/** A board that the model fits in patches only. */
const BOARD = 'STM32H743';
const IMAGES = 64;
const LONG = { timeout: 20 * 60_000 };
/** VS Code is at rest when its server took less than this share of a core for so many seconds on end. */
const QUIET_SHARE = 0.1;
const QUIET_SECONDS = 3;
/** Ticks of the kernel's clock in a second, as /proc counts. */
const TICKS = 100;

/** What a person waits for, with the click that it follows and the goal in seconds where there is one. */
const STEPS = [
  { name: 'boards, layer by layer', since: 'a click on the model', goal: 3 },
  { name: 'boards, in patches', since: 'a click on the model', goal: null },
  { name: 'preprocessing found', since: 'the choice of the images', goal: null },
  { name: 'first usable plan', since: 'the choice of the images', goal: 15 },
  { name: 'the search has ended', since: 'the choice of the images', goal: null },
  { name: 'files of C written', since: '“Generate C…”', goal: null },
] as const;

interface Span {
  readonly seconds: number;
  /** Of all processes of VS Code's server. */
  readonly processor: number;
}

interface Run {
  readonly clicks: number;
  readonly spans: readonly Span[];
}

/** Goes from the model to C as a person does who has seen neither, and writes test/bench/firstMinute.md. */
export async function benchFirstMinute({ start, folder, repeat, lead }: FirstMinuteOptions): Promise<void> {
  const runs: Run[] = [];
  const loads: number[] = [];
  for (let run = 0; run < repeat; run++) {
    prepare(folder);
    const server = await start(run);
    try {
      loads.push(os.loadavg()[0]);
      runs.push(await firstMinute(server, folder));
      console.log(JSON.stringify({ load: loads[run], ...runs[run] }));
    } finally {
      await server.stop();
    }
  }
  const text = document(runs, loads, lead);
  console.log(text);
  writeFileSync(path.join(projectRoot, 'test/bench/firstMinute.md'), text);
}

function prepare(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'images'), { recursive: true });
  cpSync(sharedData('models/mobilenetv2_1.0_224_tv.onnx'), path.join(folder, 'mobilenetv2.onnx'));
  const images = sharedData('images/imagenet_sample');
  const names = readdirSync(images).filter((name) => name.endsWith('.jpg'));
  for (let i = 0; i < IMAGES; i++) {
    const name = names[Math.floor((i * names.length) / IMAGES)];
    cpSync(path.join(images, name), path.join(folder, 'images', name));
  }
  const project = fixtures.find(({ layout }) => layout === 'cubemx-cmake')!;
  const main = { path: project.main, text: 'int main(void)\n{\n    return 0;\n}\n' };
  for (const file of [...project.files, main]) {
    const at = path.join(folder, 'firmware', file.path);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, file.text);
  }
}

async function firstMinute({ url, pid }: Server, folder: string): Promise<Run> {
  const vscode = await Workbench.open(url, folder);
  let clicks = 0;
  const spans: Span[] = [];
  const click = async (what: Locator): Promise<void> => {
    await what.waitFor(LONG);
    await what.click();
    clicks++;
  };
  try {
    await awake(vscode, pid);
    let since = now(pid);
    const wait = async (what: Locator): Promise<void> => {
      await what.waitFor(LONG);
      const { seconds, processor } = now(pid);
      spans.push({ seconds: seconds - since.seconds, processor: processor - since.processor });
    };
    await click(vscode.explorerRow('mobilenetv2.onnx'));
    await wait(vscode.webview.locator('.fit-table'));
    await wait(vscode.webview.locator('.fit-title', { hasText: /Fits \d+ of \d+ boards/ }));

    await click(vscode.webview.getByRole('button', { name: `Quantize for ${BOARD}` }).first());
    const images = await vscode.quickPick('1/2');
    since = now(pid);
    await click(vscode.row(images, 'images'));
    const presets = await vscode.quickPick('2/2');
    const best = presets.locator('.monaco-list-row', { hasText: /(confident|right) on \d+ images/ }).first();
    await wait(best);
    await click(best);
    await wait(vscode.statusItem.filter({ hasText: new RegExp(`${BOARD}.* of .* SRAM`) }));
    const outcome = vscode.webview.locator('.outcome', { hasText: 'Plan for' });
    await wait(outcome);

    since = now(pid);
    await click(outcome.getByText('Generate C…'));
    const preview = await vscode.quickPick('mobilenetv2 → firmware/lib/mobilenetv2');
    await click(vscode.row(preview, 'Generate'));
    await wait(vscode.webview.locator('.outcome', { hasText: 'files written' }));
    return { clicks, spans };
  } catch (error) {
    await vscode.screenshot('first-minute');
    throw error;
  } finally {
    await vscode.close();
  }
}

/** VS Code runs: its extensions are known, and its server has nothing more to do. Ours has not been started. */
async function awake(vscode: Workbench, pid: number): Promise<void> {
  await vscode.openContextMenu(vscode.explorerRow('mobilenetv2.onnx'), 'Quantize Model…');
  await vscode.page.keyboard.press('Escape');
  for (let quiet = 0, before = now(pid); quiet < QUIET_SECONDS;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const after = now(pid);
    const busy = (after.processor - before.processor) / (after.seconds - before.seconds);
    quiet = busy < QUIET_SHARE ? quiet + 1 : 0;
    before = after;
  }
}

function now(pid: number): Span {
  return { seconds: performance.now() / 1000, processor: processorSeconds(pid) };
}

/** Processor time of a process, of its descendants and of those of them that have ended. */
function processorSeconds(root: number): number {
  const parents = new Map<number, { readonly parent: number; readonly ticks: number }>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // utime, stime, and those of children that were waited for: fields 14 to 17 of proc(5).
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      parents.set(Number(name), { parent: Number(fields[1]), ticks });
    } catch {
      // It has ended meanwhile.
    }
  }
  const descends = (pid: number): boolean => {
    const found = parents.get(pid);
    return pid === root || (found !== undefined && found.parent > 0 && descends(found.parent));
  };
  return [...parents].reduce((sum, [pid, { ticks }]) => sum + (descends(pid) ? ticks : 0), 0) / TICKS;
}

function document(runs: readonly Run[], loads: readonly number[], lead: string): string {
  const [most, least] = [Math.max(...runs.map((r) => r.clicks)), Math.min(...runs.map((r) => r.clicks))];
  const rows = STEPS.map(({ name, since, goal }, i) => {
    const spans = runs.map((r) => r.spans[i]);
    return (
      `| ${name} | ${since} | ${middle(spans.map((s) => s.seconds))} | ${middle(spans.map((s) => s.processor))} | ` +
      `${goal === null ? '' : `≤ ${String(goal)}`} |`
    );
  });
  return (
    `# The first minute, measured\n\n${lead}\n\n` +
    "`node test/bench/firstMinute.mjs`: VS Code's server, started afresh for each run, and a headless Chromium on " +
    `${os.cpus().length} cores of ${os.cpus()[0].model.trim()}. MobileNetV2 1.0 at 224×224 (14 MB), ${IMAGES} images ` +
    `without labels, ${BOARD}, a CMake project of STM32CubeMX. n = ${runs.length}: median (least to most). The load ` +
    `(1 minute) before each run was ${loads.map((load) => load.toFixed(1)).join(', ')}; seconds are those of 2 idle ` +
    'cores only where it is near 0. Processor time is that of VS Code’s server and of all that it started.\n\n' +
    `Clicks from the explorer to C: ${least === most ? String(most) : `${String(least)} to ${String(most)}`} ` +
    '(goal: 6).\n\n' +
    '| until there are | after | seconds | processor time, s | goal, s |\n| --- | --- | --- | --- | --- |\n' +
    `${rows.join('\n')}\n`
  );
}

function middle(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  return `${median.toFixed(1)} (${sorted[0].toFixed(1)} to ${sorted[sorted.length - 1].toFixed(1)})`;
}
