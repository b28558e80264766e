/** Control characters, line breaks among them, and those that turn the direction of text. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** The same except for line breaks and tabs. */
// eslint-disable-next-line no-control-regex
const UNSEEN_IN_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Foreign text, e.g. the name of a node or file, for people: what would steer a terminal or hide is a U+FFFD. */
export function visible(text: string): string {
  return text.replace(UNSEEN, '\ufffd');
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN_IN_LINES, '\ufffd');
}

/** JSON with what JSON itself lets through escaped, so that a terminal shows it and parsers read the same. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
