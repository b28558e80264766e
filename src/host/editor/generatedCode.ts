import * as path from 'node:path';
import * as vscode from 'vscode';
import type { GeneratedCodeView } from '../../protocol/editor';

const MANIFEST = '**/.quantmcu-manifest.json';
/** Firmware projects of one workspace that are looked through. */
const MAX_PROJECTS = 20;
const MAX_SOURCE_BYTES = 64 << 20;

/** A line of generated C. */
interface Place {
  readonly uri: vscode.Uri;
  /** Counted from 0. */
  readonly line: number;
  readonly text: string;
}

/**
 * Where a layer of a model runs in the C that was generated into this workspace; undefined where there is none. @param
 * layer its number and name, as the comments have them
 */
export async function findGeneratedCode(
  model: vscode.Uri,
  layer: { readonly id: number; readonly name: string },
): Promise<Place | undefined> {
  for (const manifest of await vscode.workspace.findFiles(MANIFEST, '**/node_modules/**', MAX_PROJECTS)) {
    for (const uri of await sourcesOf(manifest)) {
      const found = find(await read(uri), path.basename(model.fsPath), layer);
      if (found) return { uri, ...found };
    }
  }
  return undefined;
}

export async function openGeneratedCode({ uri, line }: Place): Promise<void> {
  const position = new vscode.Position(line, 0);
  await vscode.window.showTextDocument(uri, {
    viewColumn: vscode.ViewColumn.Beside,
    selection: new vscode.Range(position, position),
  });
}

export function generatedCodeView({ uri, line, text }: Place): GeneratedCodeView {
  return { file: vscode.workspace.asRelativePath(uri), line: line + 1, text };
}

/** The C sources that a manifest lists, in its own folder. */
async function sourcesOf(manifest: vscode.Uri): Promise<vscode.Uri[]> {
  try {
    const { files } = JSON.parse(await read(manifest)) as { files?: unknown };
    if (typeof files !== 'object' || files === null) return [];
    return Object.keys(files)
      .filter((file) => file.endsWith('.c') && !path.isAbsolute(file) && !file.split(/[\\/]/).includes('..'))
      .map((file) => vscode.Uri.joinPath(manifest, '..', file));
  } catch {
    return [];
  }
}

async function read(uri: vscode.Uri): Promise<string> {
  try {
    if ((await vscode.workspace.fs.stat(uri)).size > MAX_SOURCE_BYTES) return '';
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return '';
  }
}

/** The first statement of a layer in a source that was generated from a model. */
function find(
  source: string,
  modelFile: string,
  { id, name }: { readonly id: number; readonly name: string },
): Omit<Place, 'uri'> | undefined {
  if (!source.slice(0, 2000).includes(modelFile)) return undefined;
  const title = `/* Layer ${id}: `;
  const lines = source.split('\n');
  const at = lines.findIndex(
    (line) => line.trimStart().startsWith(title) && sameName(line.trimStart().slice(title.length), name),
  );
  if (at < 0) return undefined;
  const call = lines.findIndex((line, i) => i > at && /^\s*qmcu_\w+\(/.test(line));
  const line = call < 0 || call > at + 6 ? at : call;
  return { line, text: lines[line].trim() };
}

/** Names are escaped in comments; one that needed it is not compared. */
function sameName(comment: string, name: string): boolean {
  return !/^[ -[\]-~]*$/.test(name) || comment.startsWith(name.slice(0, 60));
}
