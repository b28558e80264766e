import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { EngineService } from '../../../../src/protocol/engine';
import type { EditorView } from '../../../../src/protocol/views';
import { ModelStore } from '../../../../src/worker/models';
import { createService } from '../../../../src/worker/service';
import { projectRoot } from '../../../support/paths';
import { entropyRequest } from '../../../support/entropyRequest';

/**
 * The sample model with a plan of 2×2 patches by the entropy score, in a folder of its own; its fields are set while
 * the tests of a suite run.
 */
export class PlannedSample {
  readonly images = path.join(projectRoot, 'media/sample/images');
  folder!: string;
  modelPath!: string;
  planPath!: string;
  models!: ModelStore;
  service!: EngineService;
  /** As it was quantized. */
  view!: EditorView;
  /** The plan's file as it was quantized. */
  text!: string;
  private cacheHome: string | undefined;

  async open(): Promise<void> {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-planned-'));
    this.cacheHome = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = path.join(this.folder, 'cache');
    this.modelPath = path.join(this.folder, 'gauge.onnx');
    this.planPath = path.join(this.folder, 'gauge.quantmcu.json');
    cpSync(path.join(projectRoot, 'media/sample/gauge.onnx'), this.modelPath);
    this.models = new ModelStore();
    this.service = createService({ report: () => undefined, isCancelled: () => false }, this.models);
    const { modelPath, planPath, images: imagesPath } = this;
    await this.service.quantize({
      modelPath,
      planPath,
      imagesPath,
      ...entropyRequest,
      grid: { rows: 2, cols: 2 },
      limit: 8,
    });
    this.view = await this.service.view({ modelPath, planPath });
    this.text = readFileSync(planPath, 'utf8');
  }

  close(): void {
    if (this.cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = this.cacheHome;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
