import * as vscode from 'vscode';
import { OWN_BOARD_ID } from '../protocol/boards';
import type { FitRequest } from '../protocol/engine';
import type { BoardFitView, FirstFitView, FitBoard, FitView, FitWayView } from '../protocol/fit';
import type { EngineClient } from './engineClient/client';
import { formatBytes, formatMilliseconds } from './format';
import { customBoards, quantizeSettings } from './settings';

/**
 * Which boards a model fits, those of the user's settings among them, within the limits of the settings: by the engine
 * that reads the model to show it, so that it is read once.
 */
export function checkFit(engine: EngineClient, model: vscode.Uri): Promise<FitView> {
  return engine.ask((e) => e.fit(fitRequest(model)));
}

/** What is known of that at once, kept: the engine may be at the whole answer when a page asks for it. */
export class FirstFit {
  private known: { readonly key: string; readonly value: Promise<FirstFitView> } | undefined;

  constructor(
    private readonly engine: EngineClient,
    private readonly model: vscode.Uri,
  ) {}

  get(): Promise<FirstFitView> {
    const request = fitRequest(this.model);
    const key = JSON.stringify(request);
    if (this.known?.key !== key) {
      const value = this.engine.ask((e) => e.firstFit(request));
      this.known = { key, value };
      value.catch(() => {
        if (this.known?.value === value) this.forget();
      });
    }
    return this.known.value;
  }

  /** After the model has changed. */
  forget(): void {
    this.known = undefined;
  }
}

function fitRequest(model: vscode.Uri): FitRequest {
  const { sizes, sramBytes, flashBytes } = quantizeSettings(model);
  const boards = customBoards(model).map((board): FitBoard => ({
    id: OWN_BOARD_ID,
    name: board.name,
    core: board.core ?? 'cortex-m4',
    clockMHz: 0,
    sramBytes: sramBytes ?? board.sramBytes,
    flashBytes: flashBytes ?? board.flashBytes,
  }));
  return { modelPath: model.fsPath, sizes, boards, limits: { sramBytes, flashBytes } };
}

function howText({ grid, tailStages, streamed }: FitWayView): string {
  if (streamed) return vscode.l10n.t('streamed');
  if (grid) return vscode.l10n.t('{0}×{1} patches', grid.rows, grid.cols);
  return tailStages > 0 ? vscode.l10n.t('in patches') : vscode.l10n.t('layer by layer');
}

/** How a model fits a board, in a few words, and the icon for it. */
export function fitLine({ verdict, way, board }: BoardFitView): { readonly icon: string; readonly text: string } {
  if (verdict === 'no') {
    const needed = [
      way.arenaBytes > board.sramBytes ? vscode.l10n.t('{0} SRAM', formatBytes(way.arenaBytes)) : '',
      way.flashBytes > board.flashBytes ? vscode.l10n.t('{0} flash', formatBytes(way.flashBytes)) : '',
    ];
    return {
      icon: 'error',
      text: vscode.l10n.t('needs at least {0}', needed.filter((part) => part !== '').join(', ')),
    };
  }
  const how = howText(way);
  const time = way.latencyMs === null ? [] : [vscode.l10n.t('about {0}', formatMilliseconds(way.latencyMs))];
  return {
    icon: verdict === 'fits' ? 'check' : 'warning',
    text: [verdict === 'fits' ? vscode.l10n.t('fits') : vscode.l10n.t('tight'), how, ...time].join(', '),
  };
}
