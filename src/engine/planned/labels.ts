import * as path from 'node:path';
import { readBounded } from '../common/boundedFile';

const MOST_BYTES = 256 * 1024;
const LONGEST = 200;

/**
 * Names of the classes: the lines of `labels.txt` next to the model. Undefined where there is no such file, or it is no
 * list of short lines of UTF-8: names are a convenience, and nothing depends on them.
 */
export async function readLabels(modelPath: string): Promise<readonly string[] | undefined> {
  let text: string;
  try {
    const bytes = await readBounded(path.join(path.dirname(modelPath), 'labels.txt'), MOST_BYTES);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
  const lines = text.replace(/(\r?\n)+$/, '').split(/\r?\n/);
  return lines.some((line) => line.length > LONGEST) ? undefined : lines.map((line) => line.trim());
}
