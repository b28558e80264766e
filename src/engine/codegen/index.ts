export { toIdentifier } from './identifier';
export { assemble, goldenCount, programFlash } from './flash';
export type { FlashOptions } from './flash';
export { renderC, renderSources, selfContained } from './render';
export type { RuntimeNeeds } from './runtime';
export type { CoreKind } from './runtimeParts';
export { coreKinds, runtimeFiles } from './runtime';
export { selftestChecks, selftestInputs } from './checks';
export { comesInTiles, externalInputs } from './inputs';
export type {
  GeneratedFile,
  GeneratedSources,
  NetworkFacts,
  GoldenVector,
  Provenance,
  RenderOptions,
} from './types';
export { writeSources, WriteConflictError } from './write';
export type { WriteOptions, WriteResult } from './write';
export { planWrite } from './writePlan';
export type { WriteConflict, WritePlan } from './writePlan';
export { detectLayouts, layouts, matchLayouts, readListing } from './layouts';
export type { DetectedLayout, Layout, ProjectEdit } from './layouts';
export { findLayout, planProject, writeToProject } from './project';
export type { ProjectPlan, ProjectSources, ProjectWriteResult } from './project';
export { removeFromProject } from './removeProject';
export type { ProjectRemoval } from './removeProject';
export { usageOf } from './usage';
export type { Usage } from './usageTypes';
