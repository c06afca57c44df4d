import type { ServerResponse } from "node:http";
import { badRequest, methodNotAllowed } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import { decodeBody } from "../decode/body.ts";
import { evict } from "../registry/eviction.ts";
import type { Registry } from "../registry/registry.ts";
import type { Caller, Target } from "../registry/request.ts";
import { writeSubresource } from "../registry/subresource.ts";
import { isObject } from "../schema/json-value.ts";
import { readBody } from "./body.ts";
import type { ResourceCall, SubresourceHandler, VirtualResource } from "./exchange.ts";
import { sendJson } from "./respond.ts";
import { callerOf, targetOf } from "./target.ts";

const pods = { group: "", plural: "pods" } as const;
const success = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } as const;

/** POST bindings: the older way to say pods/NAME/binding, the pod being named in the body. */
export function bindings(registry: Registry): VirtualResource {
  return {
    kind: kind({ group: "", version: "v1", kind: "Binding", plural: "bindings" }),
    verbs: ["create"],
    serve({ namespace = "", body = {}, user }) {
      const name = isObject(body["metadata"]) ? body["metadata"]["name"] : undefined;
      if (typeof name !== "string" || name === "") throw badRequest("metadata.name must name the pod to bind");
      const served = registry.catalog.of({ group: "", version: "v1", plural: "pods" });
      const caller = {
        user,
        manager: "bindings",
        dryRun: false,
        fieldValidation: "Ignore",
        warn: () => undefined,
      } as const;
      writeSubresource(registry, { served, namespace, name, subresource: "binding" }, body, caller);
      return success;
    },
  };
}

/** POST pods/NAME/eviction and pods/NAME/binding. */
export function podSubresources(registry: Registry): SubresourceHandler[] {
  const act =
    (work: (target: Target, body: unknown, caller: Caller) => void) =>
    async (call: ResourceCall, response: ServerResponse): Promise<void> => {
      if (call.request.method !== "POST")
        throw methodNotAllowed("the server does not allow this method on the requested resource");
      const served = registry.catalog.of({ group: "", version: "v1", plural: "pods" });
      const body = decodeBody(await readBody(call.request), call.request.headers["content-type"]).object;
      const stored = { ...call, served };
      const given = isObject(body["metadata"]) ? body["metadata"]["name"] : undefined;
      if (given !== undefined && given !== "" && given !== call.path.name)
        throw badRequest(
          `the name of the object (${String(given)}) does not match the name on the URL (${call.path.name})`,
        );
      work(targetOf(stored), body, callerOf(stored, []));
      sendJson(response, 201, success);
    };
  return [
    {
      ...pods,
      subresource: "eviction",
      handle: act((target, body, caller) => {
        const { subresource: _, ...pod } = target;
        evict(registry, pod, body, caller);
      }),
    },
    {
      ...pods,
      subresource: "binding",
      handle: act((target, body, caller) => void writeSubresource(registry, target, body, caller)),
    },
  ];
}
