/**
 * An error whose message is meant for the person at the keyboard: one line that names the file or node, what is
 * wrong with it and what to do. The CLI prints it without a stack trace, the extension shows it unchanged.
 */
export class UserError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    // Names of files and nodes come from outside and may hold line breaks or terminal codes.
    // eslint-disable-next-line no-control-regex
    super(message.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' '), options);
    this.name = 'UserError';
  }
}

/** What an error says, without the full stop at its end: for a sentence that goes on or ends with its own. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '');
}

/** Thrown by every long computation when its {@link Progress} says that the user cancelled. */
export class CancelledError extends Error {
  constructor() {
    super('Cancelled.');
    this.name = 'CancelledError';
  }
}
