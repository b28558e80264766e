import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { runBuiltCli } from '../support/builtCli';
import type { Locator } from 'playwright-core';
import { smallModel, tinyPng } from '../faults/fixtures';
import { SmallDisk } from '../faults/mounts';
import { outRoot } from '../support/paths';
import { inOrder, Workbench } from './workbench';

const has = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;

/** Puts a model, images, a plan and a CMake project into a folder. */
function prepare(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'images'), { recursive: true });
  mkdirSync(path.join(folder, 'firmware'));
  writeFileSync(path.join(folder, 'net.onnx'), smallModel());
  for (let i = 0; i < 4; i++) writeFileSync(path.join(folder, 'images', `${i}.png`), tinyPng(i + 1));
  writeFileSync(
    path.join(folder, 'firmware/CMakeLists.txt'),
    'cmake_minimum_required(VERSION 3.16)\nproject(app C)\nadd_executable(app main.c)\n',
  );
  quantize(folder, 'nano33ble');
}

/** The first line of a file that has a text, counted from 1. */
function lineOf(file: string, text: string): number {
  const at = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  assert.ok(at >= 0, `${file} has no '${text}'`);
  return at + 1;
}

function quantize(folder: string, target: string): void {
  runBuiltCli(
    ['quantize', 'net.onnx', '--images', 'images', '--target', target, '--weights', '4', '--no-cache'],
    folder,
  );
}

describe('in place, by clicks', () => {
  inOrder();
  const workspace = path.join(outRoot, 'e2e/in place');
  const buildFile = path.join(workspace, 'firmware/CMakeLists.txt');
  const header = path.join(workspace, 'firmware/lib/net/net.h');
  let vscode: Workbench;
  let untouched: string;

  before(async () => {
    prepare(workspace);
    untouched = readFileSync(buildFile, 'utf8');
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, workspace);
    // On a busy machine, VS Code gives up its search for a plan, which would start the extension.
    await vscode.showEditor('net.onnx');
    await vscode.closeEditors();
  });
  after(() => vscode?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('failed');
  });

  /** Generate or Remove up to the list of what changes. */
  const preview = async (command: string, title: string): Promise<Locator> => {
    await vscode.contextMenu(vscode.explorerRow('net.onnx'), command);
    // Generate takes the only project and its kind without a question.
    if (command.startsWith('Remove')) await vscode.pick(await vscode.quickPick(command.replace('…', '')), 'firmware');
    return vscode.quickPick(title);
  };
  const card = (text: string | RegExp): Locator => vscode.webview.locator('.outcome:not([hidden])', { hasText: text });

  it('the status bar tells model, board and SRAM, and a click opens the editor', async () => {
    await vscode.openRow(
      'net.quantmcu.json',
      vscode.statusItem.filter({ hasText: /net\.onnx: Arduino Nano 33 BLE.*, [\d.]+ (KiB|bytes) of 256 KiB SRAM/ }),
    );
    await vscode.screenshot('20-plan-text');
    await vscode.until(vscode.webview.getByRole('tab').first(), () => vscode.statusItem.click());
  });

  it('a link on a layer of the plan selects it in the editor', async () => {
    const planFile = path.join(workspace, 'net.quantmcu.json');
    const name = Object.keys((JSON.parse(readFileSync(planFile, 'utf8')) as { layers: object }).layers)[0];
    await vscode.openFile('net.quantmcu.json', 1);
    await vscode.page.locator('.codelens-decoration a', { hasText: 'SRAM' }).first().waitFor();
    const link = vscode.page.locator('.detected-link', { hasText: name }).first();
    await vscode.until(vscode.webview.locator('[aria-selected="true"]', { hasText: name }).first(), async () => {
      await vscode.openFile('net.quantmcu.json', lineOf(planFile, `"${name}": {`));
      await link.waitFor();
      // The link becomes another element as soon as the key is down, so the pointer goes to its place.
      const { x, y, width, height } = (await link.boundingBox())!;
      await vscode.page.keyboard.down('Control');
      await vscode.page.mouse.move(x + width / 2, y + height / 2);
      await vscode.page.mouse.click(x + width / 2, y + height / 2, { delay: 50 });
      await vscode.page.keyboard.up('Control');
    });
    await vscode.screenshot('21-layer-revealed');
  });

  it('generating shows every file first, and the build file with its diff, which can be left out', async () => {
    const list = await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.page
      .locator('.multiDiffEntry, .multi-diff-editor, .monaco-editor-diff, .diff-editor, .editor.modified')
      .first()
      .waitFor();
    const build = vscode.row(list, 'CMakeLists.txt');
    await build.getByText('the sources are added in a marked block').waitFor();
    await vscode.screenshot('22-build-file');
    await build.click();
    await build.getByText('left alone').waitFor();
    await build.click();
    await build.getByText('the sources are added in a marked block').waitFor();
    await vscode.row(list, 'lib/quantmcu/quantmcu.h').click();
    await vscode.page.locator('.tab', { hasText: 'lib/quantmcu/quantmcu.h: now ↔ after' }).waitFor();
    assert.equal(readFileSync(buildFile, 'utf8'), untouched);
    assert.ok(!existsSync(header));
    await vscode.row(list, 'Generate').click();
    await card(/files written · CMake library/).waitFor();
    assert.match(readFileSync(buildFile, 'utf8'), /# >>> quantmcu net\nadd_subdirectory\(lib\/net\)\n/);
    assert.ok(existsSync(header));
  });

  it('generating again finds nothing to do and says so', async () => {
    await vscode.contextMenu(vscode.explorerRow('net.onnx'), 'Generate Firmware Source…');
    await card(/all \d+ files up to date/).waitFor();
  });

  it('another kind of project can be chosen in the list, and what runs the network goes into main.c', async () => {
    rmSync(path.join(workspace, 'firmware/lib'), { recursive: true });
    const list = await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.row(list, 'Kind of project: CMake library').click();
    await vscode.pick(await vscode.quickPick('CMake library'), 'CMake library');
    await vscode.row(await vscode.quickPick('net → firmware/lib/net'), 'Generate').click();
    await card(/files written/).waitFor();
    const main = path.join(workspace, 'firmware/main.c');
    writeFileSync(main, '#include <stdio.h>\n\nint main(void)\n{\n    return 0;\n}\n');
    await vscode.until(vscode.page.locator('.tab.active', { hasText: 'main.c' }), () =>
      card(/files written/)
        .getByText('Insert into main.c')
        .click({ timeout: 5000 }),
    );
    await vscode.page.locator('.view-line', { hasText: 'NET_ARENA(net_arena);' }).waitFor();
    assert.doesNotMatch(readFileSync(main, 'utf8'), /net/);
    await vscode.page.keyboard.press('Control+z');
    await vscode.page.locator('.view-line', { hasText: 'NET_ARENA(net_arena);' }).waitFor({ state: 'detached' });
    await vscode.page.keyboard.press('Control+w');
  });

  it('a camera can be chosen in the list; its reader comes with it, is kept, and goes without it', async () => {
    rmSync(path.join(workspace, 'firmware/lib'), { recursive: true });
    const reader = path.join(workspace, 'firmware/lib/net/net_camera.h');
    const list = await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.row(list, 'Camera: none').click();
    await vscode.pick(await vscode.quickPick('Generate Firmware Source'), 'high byte first');
    const size = await vscode.inputBox('2/3');
    assert.equal(await size.locator('input').inputValue(), '320x240');
    await size.locator('input').fill('0x240');
    await size.getByText('Columns × rows from 1 to 4096').waitFor();
    await size.locator('input').fill('160x120');
    await vscode.page.keyboard.press('Enter');
    await vscode.pick(await vscode.quickPick('3/3'), 'Mean');
    const again = await vscode.quickPick('net → firmware/lib/net');
    await vscode.row(again, 'Camera: RGB565, 160×120').waitFor();
    await vscode.screenshot('24-camera');
    await vscode.row(again, 'Generate').click();
    await card(/files written/).waitFor();
    assert.match(readFileSync(reader, 'utf8'), /160 x 120 pixels/);
    await vscode.contextMenu(vscode.explorerRow('net.onnx'), 'Generate Firmware Source…');
    await card(/all \d+ files up to date/).waitFor();
    await vscode.command('QuantMCU: Generate Firmware Source for a Camera…');
    await vscode.pick(await vscode.quickPick('Generate Firmware Source'), 'No camera');
    const without = await vscode.quickPick('net → firmware/lib/net');
    await vscode.row(without, 'lib/net/net_camera.h').getByText('removed').waitFor();
    await vscode.row(without, 'Generate').click();
    await card(/files written/).waitFor();
    assert.ok(!existsSync(reader));
  });

  it('an edited file is kept unless it is chosen, and overwritten when it is', async () => {
    const generated = readFileSync(header, 'utf8');
    appendFileSync(header, '/* mine */\n');
    const kept = await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.row(kept, 'lib/net/net.h').getByText('edited since it was generated: stays as it is').waitFor();
    await vscode.screenshot('23-edited');
    await vscode.row(kept, 'Generate').click();
    await card(/all \d+ files up to date/).waitFor();
    assert.equal(readFileSync(header, 'utf8'), `${generated}/* mine */\n`);
    const overwritten = await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.row(overwritten, 'lib/net/net.h').click();
    await vscode.row(overwritten, 'lib/net/net.h').getByText('overwritten').waitFor();
    await vscode.row(overwritten, 'Generate').click();
    await card(/1 files written/).waitFor();
    assert.equal(readFileSync(header, 'utf8'), generated);
  });

  it('the list is left by Escape and nothing has changed', async () => {
    appendFileSync(header, '/* mine */\n');
    const before = readFileSync(header, 'utf8');
    await preview('Generate Firmware Source…', 'net → firmware/lib/net');
    await vscode.page.keyboard.press('Escape');
    await vscode.page.locator('.quick-input-widget:visible').waitFor({ state: 'hidden' });
    assert.equal(readFileSync(header, 'utf8'), before);
    writeFileSync(header, before.replace('/* mine */\n', ''));
  });

  it('a comment in generated C leads to its layer', async () => {
    const source = path.join(path.dirname(header), 'net.c');
    await vscode.openFile('net.c', lineOf(source, '/* Layer 0: '));
    const lens = vscode.page.locator('.codelens-decoration a', { hasText: 'Show in the Editor (' }).first();
    await lens.waitFor();
    await vscode.screenshot('24-generated-c');
    await vscode.until(vscode.webview.locator('[aria-selected="true"]').first(), () => lens.click({ timeout: 5000 }));
  });

  it('the self-test runs and its result is in the editor', async () => {
    const core = has('arm-none-eabi-gcc') && has('qemu-system-arm') ? 'Cortex-M4' : 'This computer';
    await vscode.contextMenu(vscode.explorerRow('net.onnx'), 'Run on Emulator…');
    await vscode.pick(await vscode.quickPick('Run on Emulator'), core);
    await vscode.webview
      .getByText(`Self-test of net.onnx on ${core} passed: it computes what the editor simulates, byte for byte.`)
      .waitFor({ timeout: 120_000 });
    await vscode.screenshot('25-selftest');
  });

  it('removing shows what goes, and then takes it away', async () => {
    const list = await preview('Remove Generated Source…', 'Remove the sources of net from firmware');
    await vscode.row(list, 'lib/net/net.h').getByText('removed').waitFor();
    await vscode.screenshot('26-remove');
    await vscode.row(list, 'Remove').click();
    await vscode.notification(/files removed from firmware/).waitFor();
    assert.deepEqual(readdirSync(path.join(workspace, 'firmware')).sort(), ['CMakeLists.txt', 'main.c']);
    assert.equal(readFileSync(buildFile, 'utf8'), untouched);
  });

  it('two windows on one model: both follow its plan', async () => {
    const second = await vscode.openSecond(process.env.QUANTMCU_E2E_URL!, workspace);
    try {
      for (const window of [vscode, second]) await window.showEditor('net.onnx');
      await second.webview
        .getByText(/Arduino Nano 33 BLE/)
        .first()
        .waitFor();
      quantize(workspace, 'stm32h743');
      for (const window of [vscode, second])
        await window.webview
          .getByText(/STM32H743/)
          .first()
          .waitFor();
    } finally {
      await second.page.close();
    }
  });

  it(
    'model replaced while open: the editor and the status bar say that the plan is of another one, until it is ' +
      'back',
    async () => {
      const model = path.join(workspace, 'net.onnx');
      const bytes = readFileSync(model);
      writeFileSync(model, smallModel(2));
      await vscode.webview
        .getByText(/has changed since/)
        .first()
        .waitFor();
      await vscode.statusItem.filter({ hasText: 'plan cannot be used' }).waitFor();
      await vscode.screenshot('27-stale');
      rmSync(model);
      await vscode.webview
        .getByText(/cannot be read/)
        .first()
        .waitFor();
      writeFileSync(model, bytes);
      await vscode.webview
        .getByText(/STM32H743/)
        .first()
        .waitFor();
    },
  );

  it('the walkthrough shows its steps with their pictures', async () => {
    // Pictures are left out where there is little room.
    await vscode.page.setViewportSize({ width: 1700, height: 900 });
    await vscode.command('Welcome: Open Walkthrough...');
    await vscode.pick(await vscode.quickPick('QuantMCU'), 'QuantMCU');
    for (const step of ['Get the sample project', 'Quantize the model', 'Generate C into the firmware'])
      await vscode.page.getByText(step).first().waitFor();
    // They are drawings inside of a frame, in the theme's colors. Styles do not get there: all would be black.
    const card = async (): Promise<string | null> => {
      for (const frame of vscode.page.frames()) {
        const drawing = frame.locator('svg', { hasText: 'gauge.onnx' });
        if ((await drawing.count()) > 0) return drawing.locator('rect').first().evaluate(fillOf);
      }
      return null;
    };
    for (let turn = 0; turn < 60 && (await card()) === null; turn++) await vscode.page.waitForTimeout(500);
    await vscode.screenshot('28-walkthrough');
    assert.match(String(await card()), /^rgb\((?!0, 0, 0\))/);
  });
});

/** Runs in the page. */
function fillOf(element: unknown): string {
  const page = globalThis as unknown as { getComputedStyle(element: unknown): { readonly fill: string } };
  return page.getComputedStyle(element).fill;
}

describe('where writing is not possible', () => {
  let vscode: Workbench | undefined;
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('failed');
    await vscode?.close();
    vscode = undefined;
  });

  it('untrusted workspace: the model is shown, and nothing can be written or run', async () => {
    const workspace = path.join(outRoot, 'e2e/untrusted');
    prepare(workspace);
    const before = readdirSync(workspace, { recursive: true }).sort();
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_TRUST_URL!, workspace);
    await vscode.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
    await vscode.showEditor('net.onnx');
    await vscode.webview
      .getByText(/Arduino Nano 33 BLE/)
      .first()
      .waitFor();
    await vscode.screenshot('30-untrusted');
    const item = await vscode.openContextMenu(vscode.explorerRow('net.onnx'), 'Quantize Model…');
    assert.match((await item.getAttribute('class')) ?? '', /disabled/);
    await vscode.page.keyboard.press('Escape');
    // The page's own button ends at the same place.
    await vscode.webview
      .getByRole('button', { name: /Quantize/ })
      .first()
      .click();
    await vscode.page.waitForTimeout(1000);
    assert.equal(await vscode.page.locator('.quick-input-widget:visible').count(), 0);
    assert.deepEqual(readdirSync(workspace, { recursive: true }).sort(), before);
  });

  it('read-only folder: the model is shown, quantizing says why it cannot be', async function () {
    const source = path.join(outRoot, 'e2e/read-only source');
    prepare(source);
    const disk = SmallDisk.mount(this, path.join(outRoot, 'e2e/read-only'), 2048);
    try {
      mkdirSync(path.join(disk.folder, 'images'));
      for (const file of ['net.onnx', ...readdirSync(path.join(source, 'images')).map((name) => `images/${name}`)])
        copyFileSync(path.join(source, file), path.join(disk.folder, file));
      disk.readOnly();
      vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, disk.folder);
      await vscode.showEditor('net.onnx');
      await vscode.contextMenu(vscode.explorerRow('net.onnx'), 'Quantize Model…');
      await vscode.pick(await vscode.quickPick('1/3'), 'Arduino Nano 33 BLE');
      await vscode.pick(await vscode.quickPick('2/3'), 'images');
      await vscode.pick(await vscode.quickPick('3/3'), 'unit');
      await vscode.notification(/cannot be written: the file system is read-only/).waitFor({ timeout: 120_000 });
      await vscode.screenshot('31-read-only');
      assert.deepEqual(readdirSync(disk.folder).sort(), ['images', 'net.onnx']);
    } finally {
      await vscode?.close();
      vscode = undefined;
      disk.unmount();
    }
  });
});
