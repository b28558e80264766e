/** The pictures of README.md: the page on the plan that `npm run demo` made, as the worker answers it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { silentProgress } from '../../../src/engine/common/progress';
import { modelPathOf, readPlan } from '../../../src/engine/plan/files';
import type { Evaluation } from '../../../src/engine/run/evaluate';
import type { EngineService } from '../../../src/protocol/engine';
import { ModelStore } from '../../../src/worker/models';
import { storeAccuracy } from '../../../src/worker/results';
import { viewService } from '../../../src/worker/viewService';
import { projectRoot } from '../paths';
import { Harness, type HarnessWindow } from './harness';

/** What the command line finds on the sample's pictures that nothing was fitted to. */
function evaluate(planPath: string): Evaluation {
  const images = path.join(projectRoot, 'media/sample/fresh');
  const args = [path.join(projectRoot, 'dist/cli.js'), 'evaluate', planPath, '--images', images, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Evaluation;
}

interface Picture {
  readonly name: string;
  readonly saved: Readonly<Record<string, unknown>>;
  readonly before?: (page: Page) => Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: 'editor', saved: { tab: 'graph', dockHeight: 230, detailsOpen: false } },
  { name: 'patches', saved: { tab: 'patches', branch: 0, detailsOpen: false } },
];

/**
 * @param folder of the demo, with the plan
 * @param out where `editor.png` and `patches.png` go
 */
export async function takeReadmePictures(folder: string, out: string): Promise<void> {
  const planPath = path.join(folder, 'gauge.quantmcu.json');
  const plan = await readPlan(planPath);
  await storeAccuracy(planPath, plan, evaluate(planPath));
  const request = { modelPath: modelPathOf(planPath, plan), planPath };
  const service: Pick<EngineService, 'view' | 'sampleImage'> = viewService(new ModelStore(), silentProgress);
  const view = await service.view(request);
  if (view.plan === null) throw new Error(`${planPath}: ${view.planProblem ?? 'there is no plan: run npm run demo'}.`);
  const image = await service.sampleImage(request);
  const harness = await Harness.start();
  try {
    for (const { name, saved, before } of pictures) {
      const page = await harness.open(null, { theme: 'dark', saved, width: 1280, height: 800 });
      await page.evaluate(
        (value) => Object.assign((globalThis as unknown as { harness: HarnessWindow }).harness.answers, value),
        { sampleImage: { value: image } },
      );
      await harness.show(page, view);
      await before?.(page);
      await page.waitForTimeout(300);
      await page.screenshot({ path: path.join(out, `${name}.png`) });
      await page.context().close();
    }
  } finally {
    await harness.close();
  }
}
