/** Where translated modules are kept between runs; host/ implements it, keys are content hashes. */

export interface ModuleCache {
  /** Undefined where there is none, or it is damaged. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Best effort: a cache that cannot keep it says so once, and the run goes on. */
  put(key: string, bytes: Uint8Array): Promise<void>;
}
