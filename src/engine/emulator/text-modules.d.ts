/** Linker scripts that esbuild bundles as text (loader `text`). */
declare module '*.ld' {
  const text: string;
  export default text;
}
