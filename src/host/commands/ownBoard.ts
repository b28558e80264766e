import * as vscode from 'vscode';
import type { Core } from '../../engine/targets/types';
import { coreName, OWN_BOARD_ID } from '../../protocol/boards';
import { CORES } from '../cores';
import { editableBytes, parseBytes } from '../format';
import { pick, type, type Choice, type Step } from '../steps';
import type { Board } from './quantizeChoices';

/** Core and sizes of a board that is in no table, asked one after the other. */
export class OwnBoard {
  private sramBytes: number;
  private flashBytes: number;
  private core: Core;

  /** @param last the board that was chosen last, whose figures are offered */
  constructor(last: Board | undefined) {
    this.sramBytes = last?.sramBytes ?? 256 * 1024;
    this.flashBytes = last?.flashBytes ?? 1024 * 1024;
    this.core = last?.core ?? 'cortex-m4';
  }

  readonly steps: readonly Step[] = [
    async (place) => {
      this.sramBytes = await askBytes(place, vscode.l10n.t('SRAM for the arena'), this.sramBytes);
    },
    async (place) => {
      this.flashBytes = await askBytes(place, vscode.l10n.t('Flash for weights and code'), this.flashBytes);
    },
    async (place) => {
      const cores = CORES.map((core): Choice<Core> => ({ label: coreName(core), value: core }));
      this.core = await pick(
        place,
        vscode.l10n.t('Which core does your board have?'),
        cores,
        cores.find(({ value }) => value === this.core),
      );
    },
  ];

  get board(): Board {
    const { sramBytes, flashBytes, core } = this;
    return { id: OWN_BOARD_ID, name: vscode.l10n.t('a board of your own'), sramBytes, flashBytes, core };
  }
}

function askBytes(place: Parameters<Step>[0], prompt: string, last: number): Promise<number> {
  // The problem takes the prompt's place.
  return type(
    place,
    prompt,
    editableBytes(last),
    parseBytes,
    vscode.l10n.t('{0}: enter a number of bytes, e.g. 262144, 256K or 1M', prompt),
  );
}
