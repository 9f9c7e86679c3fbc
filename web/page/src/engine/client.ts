import type { Method, Methods, Reply, Request } from "./protocol";

type OpeningMethod = "openExplorer" | "openClassifier";
type Progress = (loaded: number, total: number | null) => void;

interface Pending {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
  progress: Progress | undefined;
}

/** The engine crashed. Pending calls are lost; the next call starts a new engine. */
export class EngineCrashed extends Error {}

/** An engine in its own worker. The first call starts the worker, and so does the first after a crash. */
export class Client {
  #worker: Worker | undefined;
  #pending = new Map<number, Pending>();
  #lastId = 0;
  #opening: { method: OpeningMethod; args: Methods[OpeningMethod]["args"] } | undefined;
  #opened: Promise<unknown> | undefined;
  #generation = 0;

  /** Number of crashes so far. State of an engine of an earlier generation is lost. */
  get generation(): number {
    return this.#generation;
  }

  /** Opens the engine's network once; if opening fails, the next call tries again. */
  open<M extends OpeningMethod>(
    method: M,
    args: Methods[M]["args"],
    progress?: Progress,
  ): Promise<Methods[M]["result"]> {
    this.#opening ??= { method, args };
    this.#opened ??= this.#send(method, args, progress).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened as Promise<Methods[M]["result"]>;
  }

  /** Calls a method of the engine; rejects with the engine's error message, or with `EngineCrashed`. */
  async call<M extends Exclude<Method, OpeningMethod>>(
    method: M,
    args: Methods[M]["args"],
  ): Promise<Methods[M]["result"]> {
    if (!this.#worker && this.#opening) {
      try {
        await this.#send(this.#opening.method, this.#opening.args);
      } catch (error) {
        this.#stop(String(error));
        throw error;
      }
    }
    return this.#send(method, args);
  }

  #send<M extends Method>(
    method: M,
    args: Methods[M]["args"],
    progress?: Progress,
  ): Promise<Methods[M]["result"]> {
    this.#worker ??= this.#start();
    const request: Request<M> = { id: ++this.#lastId, method, args };
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
      this.#crash(event.message);
    };
    worker.onmessageerror = () => this.#crash("a message could not be read");
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
      this.#crash(reply.error);
      return;
    }
    this.#pending.delete(reply.id);
    if ("error" in reply) pending.reject(new Error(reply.error));
    else pending.resolve(reply.result as never);
  }

  /** Terminates the worker and rejects the pending calls; returns the number of pending calls. */
  #stop(reason: string): number {
    this.#generation++;
    this.#worker?.terminate();
    this.#worker = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) pending.reject(new EngineCrashed(reason));
    return lost.length;
  }

  #crash(reason: string): void {
    if (this.#stop(reason) === 0) this.oncrash?.(reason);
  }

  /** Called when the engine crashes while no call is pending. */
  oncrash: ((reason: string) => void) | undefined;
}

/** Engine of the digit network, of single layers and of convolution costs. */
export const explorer = new Client();
/** Engine of the photo network. */
export const classifier = new Client();
