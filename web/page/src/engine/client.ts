import type { Method, Methods, Reply, Request } from "./protocol";

type OpeningMethod = "openExplorer" | "openClassifier";
type Progress = (loaded: number, total: number | null) => void;

interface Pending {
  resolve: (answer: never) => void;
  reject: (error: Error) => void;
  progress: Progress | undefined;
}

/** The engine broke and was made anew: what was asked of it is lost, what is asked next will do. */
export class EngineBroke extends Error {}

/** An engine in a worker of its own, which is made at the first request and again after it broke. */
export class Client {
  #worker: Worker | undefined;
  #pending = new Map<number, Pending>();
  #last = 0;
  #opening: { method: OpeningMethod; takes: Methods[OpeningMethod]["takes"] } | undefined;
  #opened: Promise<unknown> | undefined;
  #generation = 0;

  /** How many engines broke: what was told to one of another generation is lost. */
  get generation(): number {
    return this.#generation;
  }

  /** Opens the engine's network, once; where that fails, the next call tries again. */
  open<M extends OpeningMethod>(
    method: M,
    takes: Methods[M]["takes"],
    progress?: Progress,
  ): Promise<Methods[M]["answers"]> {
    this.#opening ??= { method, takes };
    this.#opened ??= this.#send(method, takes, progress).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened as Promise<Methods[M]["answers"]>;
  }

  /** Asks the engine; rejects with the engine's own words, or with `EngineBroke`. */
  async ask<M extends Exclude<Method, OpeningMethod>>(
    method: M,
    takes: Methods[M]["takes"],
  ): Promise<Methods[M]["answers"]> {
    if (!this.#worker && this.#opening) {
      try {
        await this.#send(this.#opening.method, this.#opening.takes);
      } catch (error) {
        this.#stop(String(error));
        throw error;
      }
    }
    return this.#send(method, takes);
  }

  #send<M extends Method>(
    method: M,
    takes: Methods[M]["takes"],
    progress?: Progress,
  ): Promise<Methods[M]["answers"]> {
    this.#worker ??= this.#start();
    const request: Request<M> = { id: ++this.#last, method, takes };
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject, progress });
      this.#worker?.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#break(event.message);
    };
    worker.onmessageerror = () => this.#break("a message could not be read");
    return worker;
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if ("loaded" in reply) {
      pending.progress?.(reply.loaded, reply.total);
      return;
    }
    if ("error" in reply && reply.fatal) {
      this.#break(reply.error);
      return;
    }
    this.#pending.delete(reply.id);
    if ("error" in reply) pending.reject(new Error(reply.error));
    else pending.resolve(reply.answer as never);
  }

  /** Ends the worker and rejects what was asked of it; says how many questions that were. */
  #stop(reason: string): number {
    this.#generation++;
    this.#worker?.terminate();
    this.#worker = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) pending.reject(new EngineBroke(reason));
    return lost.length;
  }

  #break(reason: string): void {
    if (this.#stop(reason) === 0) this.onbreak?.(reason);
  }

  /** Called when the engine broke while nothing was asked of it. */
  onbreak: ((reason: string) => void) | undefined;
}

/** Runs the digit network and answers questions of arithmetic. */
export const explorer = new Client();
/** Runs the photo network. */
export const classifier = new Client();
