/** Serves what CustomResourceDefinitions bring, from the moment they are stored until the last object is gone. */
import { customResourceCleanupFinalizer } from "../../api/apiextensions/custom-resource-definition.ts";
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../../api/apiextensions/types.gen.ts";
import type { KindDefinition, RequestUser } from "../../api/meta/definition.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { groupResourceKey } from "../../api/meta/kind.ts";
import { parseKey } from "../../api/meta/object.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { remove } from "../registry/delete.ts";
import { copyJson } from "../registry/json.ts";
import type { Registry } from "../registry/registry.ts";
import type { Caller } from "../registry/request.ts";
import { createSettling, type Settling } from "../registry/settling.ts";
import { update } from "../registry/update.ts";
import { jsonEqual } from "../schema/json-value.ts";
import { isEstablished, statusOf, takenNames } from "./crd-status.ts";
import { definitionsFromCrd } from "./definitions-from-crd.ts";
import { validateCrd } from "./validate-crd.ts";

const resource = groupResourceKey(CustomResourceDefinitionKind);

/** The definition of CustomResourceDefinition itself, with the checks that need CEL and schemas. Others pass through. */
export function withCrdChecks(definition: KindDefinition): KindDefinition {
  if (groupResourceKey(definition.kind) !== resource) return definition;
  return {
    ...definition,
    prepare(object, old, context) {
      definition.prepare?.(object, old, context);
      const finalizers = object.metadata.finalizers ?? [];
      if (!old && !finalizers.includes(customResourceCleanupFinalizer))
        object.metadata.finalizers = [...finalizers, customResourceCleanupFinalizer];
    },
    validate: (object, old) =>
      validateCrd(object as CustomResourceDefinition, old as CustomResourceDefinition | undefined),
  };
}

/**
 * Serves the stored definitions now and follows every change; returns what stops it. A definition with free names is
 * served in the very turn it is stored; its status follows right behind.
 */
export function serveCustomResources(registry: Registry, user: RequestUser, log: Logger): () => void {
  const server = new CustomResources(registry, user, log);
  return () => server.stop();
}

class CustomResources {
  readonly #registry: Registry;
  readonly #caller: Caller;
  readonly #unsubscribe: () => void;
  /** Watches on objects of definitions that wait to be removed, by definition. */
  readonly #emptying = new Map<string, () => void>();
  readonly #settling: Settling;

  constructor(registry: Registry, user: RequestUser, log: Logger) {
    this.#registry = registry;
    this.#settling = createSettling(
      () => {
        for (const crd of this.#crds()) this.#settle(crd);
      },
      { name: "keeping custom resource definitions", log },
    );
    this.#caller = {
      user,
      manager: "ebb-custom-resources",
      dryRun: false,
      fieldValidation: "Ignore",
      warn: () => undefined,
    };
    for (const crd of this.#crds()) this.#serve(crd);
    this.#settling.soon();
    this.#unsubscribe = registry.store.subscribe(resource, ({ type, entry }) => {
      const crd = entry.object as CustomResourceDefinition;
      if (type === "deleted") this.#unserve(crd.metadata.name);
      else this.#serve(crd);
      this.#settling.soon();
    });
  }

  stop(): void {
    this.#unsubscribe();
    for (const unsubscribe of this.#emptying.values()) unsubscribe();
    this.#settling.stop();
  }

  #crds(): CustomResourceDefinition[] {
    return this.#registry.store.list(resource).map(({ object }) => object as CustomResourceDefinition);
  }

  #status(crd: CustomResourceDefinition): ReturnType<typeof statusOf> {
    const kinds = this.#registry.catalog.all().flatMap(({ definition, custom }) => (custom ? [] : [definition.kind]));
    return statusOf(crd, takenNames(crd, this.#crds(), kinds), this.#registry.now());
  }

  /** Specs that have not changed keep their definitions, and with them everything compiled for them. */
  readonly #served = new Map<string, { readonly spec: unknown; readonly names: unknown }>();

  #serve(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata;
    const status = this.#status(crd);
    // A definition of a kind that ebb has itself is there for tools to find; its schema would know less.
    if (!isEstablished(status) || this.#isBuiltIn(crd)) return;
    const names = status.acceptedNames ?? crd.spec.names;
    const known = this.#served.get(name);
    if (known && jsonEqual(known.spec, crd.spec) && jsonEqual(known.names, names)) return;
    this.#served.set(name, { spec: crd.spec, names });
    this.#registry.catalog.setCustom(name, definitionsFromCrd({ ...crd, spec: { ...crd.spec, names } }));
  }

  #isBuiltIn({ spec }: CustomResourceDefinition): boolean {
    return this.#registry.catalog.isBuiltIn(spec.group, spec.names.plural);
  }

  #unserve(name: string): void {
    this.#served.delete(name);
    this.#registry.catalog.setCustom(name, []);
  }

  #settle(crd: CustomResourceDefinition): void {
    const served = this.#registry.catalog.of(CustomResourceDefinitionKind);
    const target = { served, name: crd.metadata.name };
    if (crd.metadata.deletionTimestamp) {
      this.#empty(crd);
      return;
    }
    const status = this.#status(crd);
    if (jsonEqual(status, crd.status)) return;
    const next = { ...copyJson(crd), status: copyJson(status) };
    update(this.#registry, { ...target, subresource: "status" }, next, this.#caller);
  }

  /** Deletes every object of a definition that is to go, then lets the definition go. */
  #empty(crd: CustomResourceDefinition): void {
    const { name, finalizers = [] } = crd.metadata;
    if (!finalizers.includes(customResourceCleanupFinalizer)) return;
    const objects = `${crd.spec.group}/${crd.spec.names.plural}`;
    const served = this.#isBuiltIn(crd)
      ? undefined
      : this.#registry.catalog.all().find((known) => known.resource === objects && known.custom);
    const left = served ? this.#registry.store.list(objects) : [];
    if (!this.#emptying.has(name))
      this.#emptying.set(
        name,
        this.#registry.store.subscribe(objects, () => this.#settling.soon()),
      );
    for (const { object } of left) {
      if (!served || object.metadata.deletionTimestamp) continue;
      const { namespace } = object.metadata;
      const target = { served, name: object.metadata.name, ...(namespace ? { namespace } : {}) };
      try {
        remove(this.#registry, target, { propagationPolicy: "Background" }, this.#caller);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    if (served && this.#registry.store.list(objects).length > 0) return;
    this.#emptying.get(name)?.();
    this.#emptying.delete(name);
    const rest = finalizers.filter((finalizer) => finalizer !== customResourceCleanupFinalizer);
    const next = copyJson(crd) as { metadata: { finalizers?: string[] } } & CustomResourceDefinition;
    next.metadata.finalizers = rest;
    update(
      this.#registry,
      { served: this.#registry.catalog.of(CustomResourceDefinitionKind), ...parseKey(name) },
      next,
      this.#caller,
    );
  }
}
