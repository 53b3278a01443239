/** NAME=VALUE settings behind commas, as options and xl's cfg files have them; each is to be asked for. */
import { UserError } from '../../../runtime/errors.ts';

export class Settings {
  readonly #where: string;
  readonly #values = new Map<string, string[]>();

  /** @param where what is being read, for messages: `vif 'mac=…'` */
  constructor(where: string, settings: readonly string[]) {
    this.#where = where;
    for (const setting of settings) {
      if (setting.trim() === '') continue;
      const at = setting.indexOf('=');
      const name = (at < 0 ? setting : setting.slice(0, at)).trim();
      const value = at < 0 ? 'on' : setting.slice(at + 1).trim();
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
  }

  /** In the order in which they were given. */
  all(name: string): string[] {
    const values = this.#values.get(name) ?? [];
    this.#values.delete(name);
    return values;
  }

  one(name: string): string | undefined {
    const [value, second] = this.all(name);
    if (second !== undefined) this.refuse(`${name} is given twice`);
    return value;
  }

  /** Off, if not given; a name without a value is on. */
  flag(name: string): boolean {
    const value = this.one(name) ?? 'off';
    if (value === 'on' || value === 'off') return value === 'on';
    this.refuse(`${name}=${value}: expected on or off`);
  }

  refuse(reason: string): never {
    throw new UserError(`${this.#where}: ${reason}`);
  }

  /** What nobody has asked for is refused; `known` is what there is, for the message. */
  finish(known: string): void {
    const [name] = this.#values.keys();
    if (name !== undefined) this.refuse(`no ${name}; there are ${known}`);
  }
}
