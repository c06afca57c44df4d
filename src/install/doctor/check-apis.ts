import { isNotFound } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { NodeKind, PodKind } from "../../api/core/kinds.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { versionOf } from "../apply/check-cluster.ts";
import { installLabels, systemNamespace } from "../names.ts";
import { apiServiceNames } from "../webhooks/names.ts";
import { fine, hint, problem, type Check, type DoctorDeps, type Finding } from "./finding.ts";

interface ApiService extends KubeObject {
  readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

const ApiServiceKind = kind<ApiService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  namespaced: false,
});

/** The metrics API, without which Revisions of class hpa do not scale by CPU; other APIs that are registered and dead. */
export const checkApis: Check = async ({ client }) => {
  const { items } = await client.list(ApiServiceKind);
  const found: Finding[] = [];
  const metrics = items.find(({ metadata }) => metadata.name === "v1beta1.metrics.k8s.io");
  if (!metrics)
    found.push(
      hint(
        "there is no metrics API: Revisions of class hpa do not scale by CPU or memory, and kubectl top does not work",
        "install metrics-server; services that scale by requests do without",
      ),
    );
  for (const { metadata, status } of items) {
    const available = status?.conditions?.find(({ type }) => type === "Available");
    if (available?.status !== "False") continue;
    const ours = apiServiceNames.includes(metadata.name);
    found.push(
      problem(
        `API ${metadata.name} does not answer: ${available.message ?? ""}`,
        ours
          ? adviceForOurs(available.message ?? "")
          : "whoever serves it is gone or unreachable; namespaces cannot be deleted meanwhile",
      ),
    );
  }
  found.push(...foreignApis(items));
  return found.length > 0 ? found : [fine("the metrics API answers")];
};

/** How many instances these pods are, and which of them are ebb's own. */
export function podsInWords(pods: readonly Pod[]): string {
  const services = pods.flatMap(({ metadata: { namespace, labels } }) => {
    const service = labels?.[servingKeys.service];
    return service === undefined ? [] : [`${namespace}/${service}`];
  });
  const own = pods.filter(({ metadata }) => metadata.namespace === systemNamespace);
  const names = own.map(({ metadata }) => metadata.name).toSorted();
  const count = new Set(services).size;
  const instances = `${services.length} instance${services.length === 1 ? "" : "s"} of ${count} service${count === 1 ? "" : "s"}`;
  return `${[instances, ...names].join(", ")} ${pods.length === 1 ? "is" : "are"} there`;
}

/** What of ebb is on a node. */
async function wentWith(client: DoctorDeps["client"], node: string): Promise<string> {
  try {
    return podsInWords((await client.list(PodKind, { fieldSelector: `spec.nodeName=${node}` })).items);
  } catch (error) {
    return `what is there cannot be listed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A cluster has each of these APIs once: where KEDA or an adapter of Prometheus serves it, ebb's metrics are not in it. */
function foreignApis(items: readonly ApiService[]): readonly Finding[] {
  const foreign = items.filter(
    ({ metadata }) =>
      apiServiceNames.includes(metadata.name) &&
      Object.entries(installLabels).some(([key, value]) => metadata.labels?.[key] !== value) &&
      metadata.annotations?.["meta.helm.sh/release-name"] !== "ebb",
  );
  return foreign.map(({ metadata, spec }) => {
    const { namespace = "", name = "somebody else" } = spec?.service ?? {};
    return hint(
      `API ${metadata.name} is served by ${namespace === "" ? name : `${namespace}/${name}`}, such as KEDA: HorizontalPodAutoscalers do not find ebb's metrics there`,
      "Revisions of class kpa, and of class hpa by CPU or memory, do without; remove the other one and install ebb again to have them",
    );
  });
}

const adviceForOurs = (message: string): string =>
  /deadline exceeded|timeout|canceled while waiting|no route/i.test(message)
    ? "something between API server and pods drops packets: a firewall that lets the control plane reach nodes only at some ports (open 8443), or a NetworkPolicy"
    : 'the controller serves it: "kubectl -n ebb-system get pods"';

const oldestMinor = 30;

export const checkVersionAndNodes: Check = async ({ client }) => {
  const version = await versionOf(client);
  const [, minor = "0"] = /^v1\.(\d+)/.exec(version) ?? [];
  const found: Finding[] =
    Number(minor) < oldestMinor
      ? [problem(`Kubernetes ${version} is too old`, `ebb needs 1.${oldestMinor} or later`)]
      : [fine(`Kubernetes ${version}`)];
  const { items } = await client.list(NodeKind).catch((error: unknown) => {
    if (isNotFound(error)) return { items: [] };
    throw error;
  });
  for (const { metadata, status, spec } of items) {
    const conditions = status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === "Ready");
    if (ready?.status !== "True") {
      const why = `node ${metadata.name} is not ready: ${ready?.message ?? "it says nothing"}`;
      found.push(problem(`${why}; ${await wentWith(client, metadata.name)}`, "mend or remove it"));
    }
    for (const { type, status: is, message = "" } of conditions)
      if (type.endsWith("Pressure") && is === "True")
        found.push(problem(`node ${metadata.name} has ${type}: ${message}`, "free some, or add a node"));
    if (spec?.unschedulable === true) found.push(hint(`node ${metadata.name} takes no pods`, `"kubectl uncordon" it`));
  }
  return found;
};
