/** WebAssembly that esbuild bundles as bytes (loader `binary`). */
declare module '*.wasm' {
  const bytes: Uint8Array;
  export default bytes;
}

/** libjpeg-turbo as built with Emscripten. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  export interface JpegTurboModule {
    readonly JPEGDecoder: new () => JpegTurboDecoder;
  }
  export interface JpegTurboDecoder {
    /** Room for a file of this many bytes; valid until the next call. */
    getEncodedBuffer(length: number): Uint8Array;
    /** Throws the address of an error as a number. */
    decode(): void;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
    /** Interleaved pixels; valid until the next call. */
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  }
  export default function create(options: {
    instantiateWasm(imports: object, done: (instance: WebAssembly.Instance) => void): object;
    print(text: string): void;
    printErr(text: string): void;
  }): Promise<JpegTurboModule>;
}
