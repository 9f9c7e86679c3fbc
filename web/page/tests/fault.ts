import type { Page } from "@playwright/test";

/** The members of the engine module in the worker that fault injection uses. */
interface EngineModule {
  default(): Promise<{ memory: WebAssembly.Memory }>;
  [name: string]: unknown;
}

interface Fault {
  /** Class of the object to damage, before the next call of `method`. */
  of: "Explorer" | "Classifier";
  method: string;
  /**
   * A number sets the length of every list of that length to 0, so that a bounds check in Rust panics.
   * `address` moves the object beyond the end of the memory, so that WebAssembly traps on the first access.
   */
  how: number | "address";
}

/** Damages an object of the engine in the worker, so that the shipped engine fails in the next call. */
export async function damage(page: Page, fault: Fault): Promise<void> {
  const [worker] = page.workers();
  if (!worker) throw new Error("there is no engine to damage");
  await worker.evaluate(async ({ of, method, how }) => {
    /** Approximate size of the object, in 32-bit words. */
    const OBJECT = 160;
    /** An address beyond the end of the memory. */
    const INVALID_ADDRESS = 0xf0000000;
    const files = performance.getEntriesByType("resource").map(({ name }) => name);
    const file = files.find((name) => /receptive_web-[^/]*\.js$/.test(name));
    // The worker has already imported the module, so this returns the same instance.
    const engine = (await import(file as string)) as EngineModule;
    const { memory } = await engine.default();
    const { prototype } = engine[of] as { prototype: Record<string, unknown> };
    const call = prototype[method] as (...args: unknown[]) => unknown;
    prototype[method] = function (this: { __wbg_ptr: number }, ...args: unknown[]) {
      prototype[method] = call;
      if (how === "address") return call.apply({ __wbg_ptr: INVALID_ADDRESS }, args);
      // The first word is the borrow flag of wasm-bindgen.
      const words = new Uint32Array(memory.buffer, this.__wbg_ptr + 4, OBJECT);
      for (const [index, word] of words.entries()) if (word === how) words[index] = 0;
      return call.apply(this, args);
    };
  }, fault);
}
