/** What lies on the stack when a process begins: argc, argv, envp, auxv (System V ABI AMD64, 3.4.1; i386, figure 3-10). */

export interface InitialStack {
  /** What to write at `stackPointer`, up to the top of the stack. */
  readonly bytes: Uint8Array;
  /** 16-byte aligned. */
  readonly stackPointer: bigint;
}

export function initialStack(
  width: 64 | 32,
  top: bigint,
  programArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): InitialStack {
  const encoder = new TextEncoder();
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const strings = [...programArguments, ...variables].map((text) => encoder.encode(`${text}\0`));
  const stringsLength = strings.reduce((sum, { length }) => sum + length, 0);

  const addresses: bigint[] = [];
  let at = top - BigInt(stringsLength);
  for (const string of strings) {
    addresses.push(at);
    at += BigInt(string.length);
  }
  const count = programArguments.length;
  const atNull = [0n, 0n];
  const words = [
    BigInt(count),
    ...[...addresses.slice(0, count), 0n],
    ...[...addresses.slice(count), 0n],
    ...atNull,
  ];

  const length = words.length * (width / 8) + stringsLength;
  const stackPointer = (top - BigInt(length)) & ~15n;
  const bytes = new Uint8Array(Number(top - stackPointer));
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries())
    if (width === 64) view.setBigUint64(i * 8, word, true);
    else view.setUint32(i * 4, Number(word), true);
  let end = bytes.length - stringsLength;
  for (const string of strings) {
    bytes.set(string, end);
    end += string.length;
  }
  return { bytes, stackPointer };
}
