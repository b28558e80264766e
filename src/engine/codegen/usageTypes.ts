/** What an application adds to run a network: text to be copied or inserted. */
export interface Usage {
  /** Headers, as they stand between the quotes or brackets of `#include`: `"gauge.h"`, `<string.h>`. */
  readonly includes: readonly string[];
  /** Definitions for the top of a source file: the arena and a function that runs one inference. C99 and C++. */
  readonly code: string;
}
