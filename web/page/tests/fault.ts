import type { Page } from "@playwright/test";

/** The engine as the worker has it, as far as a fault needs it. */
interface Damaged {
  default(): Promise<{ memory: WebAssembly.Memory }>;
  [name: string]: unknown;
}

interface Fault {
  /** The class whose object is damaged, before its next call of `method`. */
  of: "Explorer" | "Classifier";
  method: string;
  /**
   * A number: the lists that have so many elements have none, so that Rust's own check of an index panics.
   * `everything`: pointers lead nowhere, so that WebAssembly's check of an address traps.
   */
  how: number | "everything";
}

/** Bits of a worker's engine fall over: what its next call meets is found by the engine itself, as it is shipped. */
export async function damage(page: Page, fault: Fault): Promise<void> {
  const [worker] = page.workers();
  if (!worker) throw new Error("there is no engine to damage");
  await worker.evaluate(async ({ of, method, how }) => {
    /** Words that an object has, about. */
    const OBJECT = 160;
    /** Beyond what a module's memory grows to here. */
    const NOWHERE = 0xf0000000;
    const files = performance.getEntriesByType("resource").map(({ name }) => name);
    const file = files.find((name) => /receptive_web-[^/]*\.js$/.test(name));
    // The module is the worker's own: it has been imported before.
    const engine = (await import(file as string)) as Damaged;
    const { memory } = await engine.default();
    const { prototype } = engine[of] as { prototype: Record<string, unknown> };
    const call = prototype[method] as (...takes: unknown[]) => unknown;
    prototype[method] = function (this: { __wbg_ptr: number }, ...takes: unknown[]) {
      // The first word says whether the object is borrowed.
      const words = new Uint32Array(memory.buffer, this.__wbg_ptr + 4, OBJECT);
      for (const [at, word] of words.entries()) {
        if (how === "everything") words[at] = NOWHERE;
        else if (word === how) words[at] = 0;
      }
      prototype[method] = call;
      return call.apply(this, takes);
    };
  }, fault);
}
