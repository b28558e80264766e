/** A core's name as its maker writes it: `cortex-m4f` is Cortex-M4F; other names stand as they are. */
export function coreText(core: string): string {
  return core.replace(/^cortex-(.*)$/i, (_, model: string) => `Cortex-${model.toUpperCase()}`);
}
