import * as vscode from 'vscode';
import type { Camera, CameraFormat, CameraScale } from '../../engine/calibration/camera';
import { pick, runSteps, type, type Choice, type Step } from '../steps';

/** Largest side of a picture that the reader takes. */
const MOST_PIXELS = 4096;

/** What is offered where no camera was chosen yet: QVGA, as small camera modules give it. */
const USUAL: Camera = { format: 'rgb565be', width: 320, height: 240, scale: 'box' };

/**
 * Asks for the camera whose pictures are the input: its format, its size, and how pictures are scaled.
 * @param last what was chosen last
 * @returns null: the application fills the input itself; undefined: the user left
 */
export async function askCamera(title: string, last: Camera | undefined): Promise<Camera | null | undefined> {
  const camera: { -readonly [K in keyof Camera]: Camera[K] } = { ...(last ?? USUAL) };
  let isWanted = false;
  const format: Step = async (place) => {
    const rows = formatRows();
    const active = rows.find(({ value }) => value === (last ? last.format : USUAL.format));
    const chosen = await pick(
      place,
      vscode.l10n.t('In which format does the camera deliver its pictures?'),
      rows,
      active,
    );
    isWanted = chosen !== null;
    if (chosen !== null) camera.format = chosen;
  };
  const size: Step = async (place) => {
    const { width, height } = await type(
      place,
      vscode.l10n.t('Size of its pictures, columns × rows'),
      `${camera.width}x${camera.height}`,
      (text) => sizeOf(text, camera.format),
      camera.format === 'yuyv' || camera.format === 'uyvy'
        ? vscode.l10n.t('Columns × rows from 1 to 4096, e.g. 320x240; the columns must be even')
        : vscode.l10n.t('Columns × rows from 1 to 4096, e.g. 320x240'),
    );
    camera.width = width;
    camera.height = height;
  };
  const scale: Step = async (place) => {
    const rows = scaleRows();
    const active = rows.find(({ value }) => value === camera.scale);
    camera.scale = await pick(place, vscode.l10n.t('How are they scaled to the input’s size?'), rows, active);
  };
  const done = await runSteps(title, () => (isWanted ? [format, size, scale] : [format]));
  return done ? (isWanted ? camera : null) : undefined;
}

/** A camera in a few words. */
export function cameraText(camera: Camera | undefined): string {
  if (!camera) return vscode.l10n.t('none');
  const row = formatRows().find(({ value }) => value === camera.format);
  return `${row?.label ?? camera.format}, ${camera.width}×${camera.height}`;
}

function formatRows(): Choice<CameraFormat | null>[] {
  const formats: Record<CameraFormat, readonly [string, string]> = {
    rgb565be: ['RGB565', vscode.l10n.t('high byte first, as OV2640, OV5640 and OV7670 send it')],
    rgb565: ['RGB565', vscode.l10n.t('low byte first')],
    yuyv: ['YUV 4:2:2', 'Y U Y V'],
    uyvy: ['YUV 4:2:2', 'U Y V Y'],
    bgr888: ['BGR888', vscode.l10n.t('blue, green, red, a byte each')],
    rgb888: ['RGB888', vscode.l10n.t('red, green, blue, a byte each')],
    gray: [vscode.l10n.t('Grayscale'), vscode.l10n.t('a byte for each pixel')],
  };
  return [
    {
      label: vscode.l10n.t('No camera'),
      description: vscode.l10n.t('the application fills the input itself'),
      value: null,
    },
    ...Object.entries(formats).map(([value, [label, description]]): Choice<CameraFormat> => ({
      label,
      description,
      value: value as CameraFormat,
    })),
  ];
}

function scaleRows(): Choice<CameraScale>[] {
  return [
    {
      label: vscode.l10n.t('Mean'),
      description: vscode.l10n.t('of the pixels that become one: better pictures, a row of sums in RAM'),
      value: 'box',
    },
    {
      label: vscode.l10n.t('Nearest'),
      description: vscode.l10n.t('the pixel in their middle: no RAM, fewer instructions'),
      value: 'nearest',
    },
  ];
}

function sizeOf(text: string, format: CameraFormat): Pick<Camera, 'width' | 'height'> | undefined {
  const match = /^\s*(\d{1,4})\s*[x×]\s*(\d{1,4})\s*$/i.exec(text);
  if (!match) return undefined;
  const [width, height] = [Number(match[1]), Number(match[2])];
  const isPaired = format === 'yuyv' || format === 'uyvy';
  const isSide = (n: number): boolean => n >= 1 && n <= MOST_PIXELS;
  return isSide(width) && isSide(height) && !(isPaired && width % 2 !== 0) ? { width, height } : undefined;
}
