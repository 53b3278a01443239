/** How requests, replies and events of xenstore are written for a person: one line each. */

export const fromBytes = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

/** Strings with a NUL behind each, as they are in a message; what is behind the last one counts, too. */
export function quoteStrings(payload: Uint8Array): string {
  const strings = fromBytes(payload).split('\0');
  if (strings.length > 1 && strings.at(-1) === '') strings.pop();
  return strings.map(quote).join(', ');
}

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

export const quote = (text: string): string =>
  `"${text.replace(/[^ !#-[\]-~]/g, (c) => names[c] ?? (c === '"' || c === '\\' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`))}"`;

export const requestLine = (
  domid: number,
  name: string,
  transaction: number,
  quoted: string,
  outcome: string,
): string =>
  `d${domid} ${name}${transaction === 0 ? '' : `[${transaction}]`}(${quoted}) = ${outcome}`;

export const eventLine = (domid: number, quoted: string): string =>
  `d${domid} WATCH_EVENT(${quoted})`;
