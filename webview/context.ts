import type { EditorHost } from '../src/protocol/editor';
import type { Edits } from './edits';
import type { Store } from './state';
import type { Theme } from './theme';

/** What every part of the page is given. */
export interface Context {
  readonly store: Store;
  readonly host: EditorHost;
  readonly theme: Theme;
  readonly edits: Edits;
  /** Speaks one line through the screen reader. */
  announce(line: string): void;
}
