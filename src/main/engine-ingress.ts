import type { Authorize } from "../events/ingress/authorize.ts";
import type { Engine } from "../events/event-engine.ts";
import { createIngress, type Ingress, type IngressDeps } from "../events/ingress/ingress.ts";

/** Where producers send to the streams of `engine`. */
export const engineIngress = (
  engine: Engine,
  deps: Pick<IngressDeps, "log" | "tracer"> & { readonly authorize: Authorize },
): Ingress =>
  createIngress(
    {},
    {
      ...deps,
      append: (key, events) => engine.append(key, events),
      exists: (key) => engine.stream(key) !== undefined,
      accessTo: (key) => engine.accessTo(key),
    },
  );
