/** Style sheets are imported for their effect on the bundle: esbuild collects them into main.css. */
declare module '*.css';
