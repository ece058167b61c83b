/**
 * What waits for a connection: next comes the first of the owner that has fewest requests under way, as `busy` counts
 * them, so that nobody waits behind the crowd of another.
 */
export class BackendQueue<T> {
  readonly #busy: (owner: string) => number;
  /** The owner that has waited longest since it was served comes first. */
  readonly #waiting = new Map<string, Set<T>>();

  constructor(busy: (owner: string) => number) {
    this.#busy = busy;
  }

  add(owner: string, item: T): void {
    const queue = this.#waiting.get(owner);
    if (queue === undefined) this.#waiting.set(owner, new Set([item]));
    else queue.add(item);
  }

  /** False where it does not wait. */
  delete(owner: string, item: T): boolean {
    const queue = this.#waiting.get(owner);
    if (queue?.delete(item) !== true) return false;
    if (queue.size === 0) this.#waiting.delete(owner);
    return true;
  }

  /** Takes the next one out; null where nothing waits. */
  next(): T | null {
    let chosen: string | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const owner of this.#waiting.keys()) {
      const busy = this.#busy(owner);
      if (busy >= least) continue;
      [chosen, least] = [owner, busy];
      if (least === 0) break;
    }
    return chosen === null ? null : this.#takeOf(chosen);
  }

  #takeOf(owner: string): T | null {
    const queue = this.#waiting.get(owner);
    const item = queue?.values().next().value;
    if (queue === undefined || item === undefined) return null;
    queue.delete(item);
    this.#waiting.delete(owner);
    // Behind the others, whose turn is next.
    if (queue.size > 0) this.#waiting.set(owner, queue);
    return item;
  }
}
