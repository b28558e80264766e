import {
  findLayout,
  planProject,
  removeFromProject,
  toIdentifier,
  writeToProject,
  type ProjectEdit,
} from '../engine/codegen';
import { selftestCores, type SelftestCore } from '../engine/emulator/boards';
import { runSelftest } from '../engine/emulator/selftest';
import type { Camera } from '../engine/calibration/camera';
import { UserError } from '../engine/common/errors';
import { visible } from '../engine/common/visible';
import type { Optimize } from '../engine/targets/types';
import { generateSources } from '../engine/run/generate';
import type { OpenedPlan } from '../engine/planned/open';
import type { Progress } from '../engine/common/progress';

interface Answer {
  readonly text: string;
  readonly json: unknown;
}

export interface GenerateChoices {
  readonly project: string;
  /** Id of a layout; undefined: the one that fits best. */
  readonly layout: string | undefined;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** Make the changes to build files of the user's. */
  readonly editBuild: boolean;
  readonly overwriteEdited: boolean;
  /** In place of what the plan says. */
  readonly optimize: Optimize | undefined;
  /** `shared`: the project has the runtime once; `own`: the model's folder has one of its own. */
  readonly runtime: 'shared' | 'own';
  /** Kernels of the target's kind of core, or of all. */
  readonly cores: 'target' | 'all';
  /** What the self-test compares: hashes, or stored outputs of stored inputs. */
  readonly selftest: 'checksum' | 'stored';
  /** Whose pictures are the input. */
  readonly camera: Camera | undefined;
}

/** `generate`: writes a plan's sources into a firmware project, or says what that would change. */
export async function generateCommand(opened: OpenedPlan, choices: GenerateChoices): Promise<Answer> {
  const isOwn = choices.runtime === 'own';
  // A runtime of the model's own has kernels for all kinds of cores.
  const cores = isOwn ? 'all' : choices.cores;
  const generated = generateSources(opened, choices.optimize, cores, choices.selftest, choices.camera);
  const { name, arenaBytes, weightBytes, flash } = generated;
  const sources = isOwn ? generated.files : generated.sources;
  const layout = choices.layout === undefined ? undefined : findLayout(choices.layout);
  const plan = await planProject(choices.project, name, sources, { layout });
  const sizes = { arenaBytes, weightBytes, flash };
  if (choices.dryRun) {
    const { create, update, unchanged, remove, released, conflicts } = plan.write;
    const lists = {
      create: create.map((f) => f.path),
      update: update.map((f) => f.path),
      unchanged,
      remove,
      released,
    };
    const inTheWay = conflicts.map((c) => ({ path: c.path, reason: c.reason }));
    return {
      text: [
        `${plan.layout.title} (${plan.evidence ?? 'not detected'}); nothing was written`,
        ...(['create', 'update', 'remove'] as const).flatMap((key) =>
          lists[key].map((file) => `${key.padEnd(8)} ${file}`),
        ),
        ...inTheWay.map((c) => `blocked  ${c.path} (${c.reason})`),
        ...plan.edits.flatMap((edit) => [
          `edit     ${edit.path}${choices.editBuild ? '' : ' (with --edit-build)'}`,
          ...changedLines(edit),
        ]),
        ...(plan.edits.length === 0 ? plan.instructions : []),
        plan.include,
      ].join('\n'),
      json: {
        dryRun: true,
        layout: plan.layout.id,
        evidence: plan.evidence,
        ...lists,
        conflicts: inTheWay,
        edits: plan.edits,
        instructions: plan.instructions,
        include: plan.include,
        ...sizes,
      },
    };
  }
  const written = await writeToProject(choices.project, name, sources, {
    layout: plan.layout,
    overwriteEdited: choices.overwriteEdited,
    editBuildFiles: choices.editBuild,
  });
  const all = [...written.written, ...written.unchanged].sort();
  return {
    text: [
      `${all.length} files in ${written.folder} (${plan.layout.title}), ${written.written.length} written`,
      ...written.edited.map((file) => `Edited ${file}`),
      `Arena ${arenaBytes} bytes; flash ${flash.total} bytes (${flash.core}, GCC ${flash.level}, ${flash.optimize}): ` +
        `weights ${flash.weights}, tables ${flash.tables}, code ${flash.code}; the self-test adds ${flash.selfTest}`,
      ...written.instructions,
      `In the firmware: ${written.include}`,
    ].join('\n'),
    json: {
      layout: plan.layout.id,
      files: all,
      written: written.written,
      removed: written.removed,
      edited: written.edited,
      instructions: written.instructions,
      include: written.include,
      ...sizes,
    },
  };
}

/** `remove`: takes a model's generated files and marked blocks out of a project. */
export async function removeCommand(project: string, name: string, dryRun: boolean): Promise<Answer> {
  const { removed, kept, edits } = await removeFromProject(project, toIdentifier(name), { dryRun });
  const lines = [
    ...removed.map((file) => `remove   ${file}`),
    ...edits.map((edit) => `edit     ${edit.path}`),
    ...kept.map((file) => `keep     ${file} (edited since it was generated)`),
  ];
  return {
    text:
      lines.length === 0
        ? `${project} contains nothing generated for ${toIdentifier(name)}`
        : [...lines, ...(dryRun ? ['Nothing was changed'] : [])].join('\n'),
    json: { dryRun, removed, kept, edits: edits.map((edit) => edit.path) },
  };
}

/** `selftest`: builds and runs the generated self-test. @throws UserError also when it fails, so that a build stops */
export async function selftestCommand(opened: OpenedPlan, core: string, progress: Progress): Promise<Answer> {
  const known = selftestCores.find((c): c is SelftestCore => c === core);
  if (known === undefined) throw new UserError(`--core must be one of ${selftestCores.join(', ')}, not "${core}".`);
  const { name, files } = generateSources(opened);
  const result = await runSelftest(name, files, known, progress, opened.program);
  if (!result.passed) throw new UserError(`Self-test of ${name} on ${core} ${result.message}.`);
  const verdict = `Self-test of ${name} on ${core} ${result.message}.`;
  if (result.layers === null) return { text: verdict, json: result };
  const layers = opened.graph.layers.map((layer, i) => ({ name: layer.name, instructions: result.layers![i] ?? 0 }));
  const total = layers.reduce((sum, layer) => sum + layer.instructions, 0);
  return {
    text: [
      verdict,
      `${total} instructions in one inference, counted by the emulated board's timer:`,
      ...layers.map(
        (layer) => `  ${String(layer.instructions).padStart(String(total).length)}  ${visible(layer.name)}`,
      ),
    ].join('\n'),
    json: { ...result, layers, instructions: total },
  };
}

/**
 * Lines that an edit adds and takes away, as a diff shows them. The user's own lines are in both texts in the same
 * order.
 */
function changedLines({ before, after }: ProjectEdit): string[] {
  const old = before.split(/\r?\n/);
  const lines: string[] = [];
  let at = 0;
  for (const line of after.split(/\r?\n/)) {
    const found = old.indexOf(line, at);
    if (found < 0) {
      lines.push(`  + ${line}`);
      continue;
    }
    for (; at < found; at++) lines.push(`  - ${old[at]}`);
    at = found + 1;
  }
  for (; at < old.length; at++) lines.push(`  - ${old[at]}`);
  return lines;
}
