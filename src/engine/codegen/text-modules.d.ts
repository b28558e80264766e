/** C sources that esbuild bundles as text (loader `text`), so that the runtime travels inside the bundles. */
declare module '*.c' {
  const text: string;
  export default text;
}
declare module '*.h' {
  const text: string;
  export default text;
}
