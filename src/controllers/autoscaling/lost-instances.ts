/** An instance that a router cannot reach, since its machine does not answer. */
export interface LostInstance {
  /** `namespace/name` of its Revision. */
  readonly revision: string;
  /** Uid of its pod. */
  readonly id: string;
  /** Name of the machine, where the router knows it. */
  readonly node: string | undefined;
}

/**
 * Which instances routers say they cannot reach: known a second or two after a machine went, where the API server needs
 * most of a minute. One router's word is enough, for its requests need another instance whatever others see; it counts
 * until that router takes it back or is gone itself.
 */
export class LostInstances {
  /** Router → pod's uid → instance. */
  readonly #byRouter = new Map<string, Map<string, LostInstance>>();
  readonly #listeners: ((instance: LostInstance, lost: boolean) => void)[] = [];

  isLost(id: string): boolean {
    for (const told of this.#byRouter.values()) if (told.has(id)) return true;
    return false;
  }

  /** Runs at each change of what {@link isLost} says. */
  onChange(run: (instance: LostInstance, lost: boolean) => void): void {
    this.#listeners.push(run);
  }

  hear(router: string, instance: LostInstance, lost: boolean): void {
    const before = this.isLost(instance.id);
    const told = this.#byRouter.get(router) ?? new Map<string, LostInstance>();
    if (lost) told.set(instance.id, instance);
    else told.delete(instance.id);
    if (told.size > 0) this.#byRouter.set(router, told);
    else this.#byRouter.delete(router);
    if (this.isLost(instance.id) !== before) for (const run of this.#listeners) run(instance, lost);
  }

  /** What this router said no longer counts. */
  forget(router: string): void {
    for (const instance of this.#byRouter.get(router)?.values() ?? []) this.hear(router, instance, false);
  }
}
