import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { runBuiltCli } from '../support/builtCli';
import type { Locator } from 'playwright-core';
import { Workbench } from '../e2e/workbench';
import { OnnxBuilder } from '../support/onnxBuilder';
import { projectRoot } from '../support/paths';
import { mulberry32 } from '../support/graphBuilder';
import { sharedData } from '../support/sharedData';

export interface EditorBenchOptions {
  readonly url: string;
  /** Of the server, whose descendant the extension host is. */
  readonly pid: number;
  readonly folder: string;
  readonly repeat: number;
}

const MIB = 1024 * 1024;

/** The three lines at the head of the file, whose answer somebody wrote: they are kept, to be read again. */
function lead(): string {
  return readFileSync(path.join(projectRoot, 'test/bench/editor.md'), 'utf8').split('\n\n')[1];
}

/** Opens models as a person does and writes what was measured to test/bench/editor.md. */
export async function benchEditor({ url, pid, folder, repeat }: EditorBenchOptions): Promise<void> {
  writeModels(folder);
  const vscode = await Workbench.open(url, folder);
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    console.log(line);
  };
  try {
    // The explorer is painted before the editor of the extension is known.
    await vscode.openContextMenu(vscode.explorerRow('small.onnx'), 'Quantize Model…');
    await vscode.page.keyboard.press('Escape');
    say(
      `# The editor, measured\n\n${lead()}\n\n` +
        "`node test/bench/editor.mjs`: VS Code's server and a headless Chromium with " +
        `software rendering on ${os.cpus().length} cores of ${os.cpus()[0].model.trim()}. Medians of ${repeat} ` +
        'openings.\n',
    );
    say(
      '## From the click to the first paint\n\n| model | size, MB | first time, ms | again, ms | memory of the ' +
        'extension host, MiB more |\n| --- | --- | --- | --- | --- |',
    );
    for (const name of ['small.onnx', 'mobilenetv2.onnx', 'big.onnx'])
      say(await opening(vscode, pid, path.join(folder, name), repeat));
    say(
      '\n## The graph\n\nFrom the choice of its tab to the drawing; then panned with the wheel for three ' +
        'seconds, and zoomed for three.\n\n| model | layers | drawn after, ms | longest frame until then, ms | ' +
        'frames/s panning | frames/s zooming | longest frame, ms |\n| --- | --- | --- | --- | --- | --- | --- |',
    );
    for (const name of ['inception1000.onnx', 'chain3000.onnx']) say(await graph(vscode, path.join(folder, name)));
    say(await whatIfs(vscode, folder));
    writeFileSync(path.join(projectRoot, 'test/bench/editor.md'), `${lines.join('\n')}\n`);
  } finally {
    await vscode.screenshot('bench-editor-end').catch(() => undefined);
    await vscode.close();
  }
}

function writeModels(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const random = mulberry32(1);
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.1);
  const conv = (m: OnnxBuilder, x: string, inC: number, outC: number): string =>
    m.node('Conv', [x, m.floats([outC, inC, 1, 1], floats(outC * inC))], { kernel_shape: [1, 1] });
  const small = new OnnxBuilder(13, 8, 'small');
  small.output(conv(small, conv(small, small.input('x', [1, 3, 32, 32]), 3, 8), 8, 8), null);
  writeFileSync(path.join(folder, 'small.onnx'), small.finish());
  // 9600 × 4096 weights of a classifier: 157 MB.
  const big = new OnnxBuilder(13, 8, 'big');
  const pooled = big.node('Flatten', [
    big.node('GlobalAveragePool', [conv(big, big.input('x', [1, 3, 32, 32]), 3, 9600)]),
  ]);
  big.output(big.node('Gemm', [pooled, big.floats([4096, 9600], floats(4096 * 9600))], { transB: 1 }), [1, 4096]);
  writeFileSync(path.join(folder, 'big.onnx'), big.finish());
  // Eleven layers in four branches per block, joined by a concat.
  const inception = new OnnxBuilder(13, 8, 'inception');
  let last = conv(inception, inception.input('x', [1, 3, 16, 16]), 3, 16);
  for (let layers = 1; layers < 1000; layers += 10) {
    const chain = (length: number): string =>
      Array.from({ length }).reduce<string>((x, _, i) => conv(inception, x, i === 0 ? 16 : 4, 4), last);
    last = inception.node('Concat', [chain(1), chain(2), chain(3), chain(3)], { axis: 1 });
  }
  writeFileSync(path.join(folder, 'inception1000.onnx'), inception.output(last, null).finish());
  const chain = new OnnxBuilder(13, 8, 'chain');
  let x = conv(chain, chain.input('x', [1, 3, 8, 8]), 3, 4);
  const recent = [x];
  for (let i = 1; i < 3000; i++) {
    x = i % 7 === 6 ? chain.node('Add', [x, recent[recent.length - 4]]) : conv(chain, x, 4, 4);
    recent.push(x);
  }
  writeFileSync(path.join(folder, 'chain3000.onnx'), chain.output(x, null).finish());
  copyFileSync(sharedData('models/mobilenetv2_1.0_224_tv.onnx'), path.join(folder, 'mobilenetv2.onnx'));
}

async function open(vscode: Workbench, file: string): Promise<number> {
  const row = vscode.explorerRow(path.basename(file));
  await row.waitFor();
  await row.hover();
  const begin = performance.now();
  await row.dblclick();
  await vscode.webview.locator('.figures .figure').first().waitFor({ timeout: 120_000 });
  return performance.now() - begin;
}

async function close(vscode: Workbench): Promise<void> {
  await vscode.command('View: Close All Editors');
  await vscode.page.locator('iframe.webview.ready').first().waitFor({ state: 'detached', timeout: 30_000 });
  // What is freed is freed.
  await vscode.page.waitForTimeout(1000);
}

async function opening(vscode: Workbench, pid: number, file: string, repeat: number): Promise<string> {
  const host = extensionHost(pid);
  const before = residentBytes(host);
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(host));
  }, 30);
  const first = await open(vscode, file);
  await vscode.page.waitForTimeout(1500);
  const again: number[] = [];
  for (let i = 0; i < repeat; i++) {
    await close(vscode);
    again.push(await open(vscode, file));
  }
  clearInterval(timer);
  await close(vscode);
  return (
    `| ${path.basename(file)} | ${(statSync(file).size / 1e6).toFixed(0)} | ${first.toFixed(0)} | ` +
    `${median(again).toFixed(0)} | ${((most - before) / MIB).toFixed(0)} |`
  );
}

async function graph(vscode: Workbench, file: string): Promise<string> {
  await open(vscode, file);
  const body = vscode.webview.locator('body');
  const layers = Number((await vscode.webview.locator('.layers-view .toolbar-note').innerText()).replace(/\D/g, ''));
  const drawn = await body.evaluate(async () => {
    const frames: number[] = [];
    const begin = performance.now();
    (document.querySelector('[role=tab]') as HTMLElement).click();
    for (let last = begin; ;) {
      const now = await new Promise<number>((done) => {
        requestAnimationFrame(() => done(performance.now()));
      });
      frames.push(now - last);
      last = now;
      const canvas = document.querySelector<HTMLCanvasElement>('.graph-stage canvas')!;
      const pixels =
        canvas.width > 0 ? canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data : [];
      if (pixels.some((value) => value !== 0)) return { ms: now - begin, longest: Math.max(...frames) };
      if (now - begin > 60_000) throw new Error('The graph was never drawn.');
    }
  });
  await vscode.page.waitForTimeout(500);
  const stage = vscode.webview.locator('.graph-stage');
  const pan = await frames(vscode, stage, async (i) => vscode.page.mouse.wheel(0, i % 60 < 30 ? 60 : -50));
  await vscode.page.keyboard.down('Control');
  const zoom = await frames(vscode, stage, async (i) => vscode.page.mouse.wheel(0, i % 80 < 40 ? 40 : -40));
  await vscode.page.keyboard.up('Control');
  await close(vscode);
  return (
    `| ${path.basename(file)} | ${layers} | ${drawn.ms.toFixed(0)} | ${drawn.longest.toFixed(0)} | ` +
    `${pan.perSecond.toFixed(0)} | ${zoom.perSecond.toFixed(0)} | ` +
    `${Math.max(pan.longest, zoom.longest).toFixed(0)} |`
  );
}

/** Counts the frames in which something was painted while a person turns the wheel. */
async function frames(
  vscode: Workbench,
  stage: Locator,
  turn: (i: number) => Promise<void>,
): Promise<{ readonly perSecond: number; readonly longest: number }> {
  const box = (await stage.boundingBox())!;
  await vscode.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const counted = stage.evaluate(
    () =>
      new Promise<{ perSecond: number; longest: number }>((done) => {
        const begin = performance.now();
        let [last, count, longest] = [begin, 0, 0];
        const frame = (): void => {
          const now = performance.now();
          count++;
          longest = Math.max(longest, now - last);
          last = now;
          if (now - begin < 3000) requestAnimationFrame(frame);
          else done({ perSecond: (count * 1000) / (now - begin), longest });
        };
        requestAnimationFrame(frame);
      }),
  );
  const end = performance.now() + 2900;
  for (let i = 0; performance.now() < end; i++) await turn(i);
  return counted;
}

/** Quantizes the 14 MB model with the command line, and changes bits in its editor: from the key press to the new
 * figures. */
async function whatIfs(vscode: Workbench, folder: string): Promise<string> {
  const model = path.join(folder, 'mobilenetv2.onnx');
  runBuiltCli([
    'quantize',
    model,
    '--images',
    sharedData('images/imagenet_sample'),
    '--limit',
    '16',
    '--target',
    'stm32h743',
    '--flash',
    '8M',
    '--preprocess',
    'imagenet',
    '--out',
    path.join(folder, 'mobilenetv2.quantmcu.json'),
  ]);
  await open(vscode, model);
  await vscode.webview.getByRole('tab', { name: 'Layers' }).click();
  // Nobody changes bits in the first second.
  await vscode.page.waitForTimeout(2500);
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const cell = vscode.webview
      .locator(`.layers-view [role=row][aria-rowindex="${5 + i}"] [role=gridcell].editable`)
      .last();
    await cell.click();
    const now = Number(await cell.innerText());
    times.push(
      await cell.evaluate(
        (element, key) =>
          new Promise<number>((done) => {
            const figures = document.querySelector('.figures')!;
            const begin = performance.now();
            new MutationObserver((_, observer) => {
              if (!figures.classList.contains('preview')) return;
              observer.disconnect();
              done(performance.now() - begin);
            }).observe(figures, { attributes: true, childList: true });
            element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          }),
        now === 8 ? '4' : '8',
      ),
    );
    await vscode.webview.locator('.figures:not(.preview)').waitFor({ timeout: 30_000 });
    await vscode.page.waitForTimeout(300);
  }
  await close(vscode);
  return (
    '\n## What-ifs\n\nMobileNetV2, bits of one layer after the other: from the key press to the new figures ' +
    `${times.map((t) => t.toFixed(0)).join(', ')} ms (median ${median(times).toFixed(0)}).`
  );
}

/** The process of the extension host: a descendant of the server. */
function extensionHost(server: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [
          {
            pid: Number(name),
            parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]),
            command: readFileSync(`/proc/${name}/cmdline`, 'utf8'),
          },
        ];
      } catch {
        return [];
      }
    });
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const descends = (pid: number): boolean =>
    pid === server || (parents.has(pid) && pid > 1 && descends(parents.get(pid)!));
  const found = processes.find(({ pid, command }) => command.includes('--type=extensionHost') && descends(pid));
  if (!found) throw new Error('There is no extension host.');
  return found.pid;
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
