/** What must be so before anything is applied. */
import { json } from "node:stream/consumers";
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import { NodeKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { customKinds } from "../crds/custom-kinds.ts";
import { makeCrd } from "../crds/make-crd.ts";
import { installLabels } from "../names.ts";

/** The cluster is not one ebb can be installed on as asked; the message says what to do. */
export class UnfitClusterError extends Error {
  override readonly name = "UnfitClusterError";
}

export interface ClusterFacts {
  /** `v1.36.2`. */
  readonly version: string;
  /** Nodes that take pods. */
  readonly nodes: number;
}

const oldestMinor = 30;

export async function checkCluster(client: HttpClient, serving: "own" | "existing"): Promise<ClusterFacts> {
  const version = await versionOf(client);
  const [, major = "0", minor = "0"] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < oldestMinor))
    throw new UnfitClusterError(`this is Kubernetes ${version}; ebb needs 1.${oldestMinor} or later`);
  const foreign = await foreignCrds(client);
  if (serving === "own" && foreign.length > 0)
    throw new UnfitClusterError(
      `somebody else installed ${foreign.join(", ")} on this cluster, such as Knative Serving. --serving=existing leaves them alone and deploys to them; or remove what owns them first`,
    );
  if (serving === "existing" && !foreign.includes("services.serving.knative.dev"))
    throw new UnfitClusterError("there is no Knative Serving of somebody else on this cluster: leave --serving out");
  const { items } = await client.list(NodeKind);
  return { version, nodes: items.filter(({ spec }) => spec?.unschedulable !== true).length };
}

export async function versionOf(client: HttpClient): Promise<string> {
  const answer = await client.raw("/version");
  const { gitVersion = "" } = (await json(answer.body)) as { readonly gitVersion?: string };
  return gitVersion;
}

/** CRDs of ebb's kinds that do not carry ebb's labels. */
export async function foreignCrds(client: HttpClient): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { metadata } of customKinds().map(makeCrd)) {
    const crd = await client.get(CustomResourceDefinitionKind, { name: metadata.name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (crd && !isOurs(crd)) found.push(metadata.name);
  }
  return found;
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  Object.entries(installLabels).every(([key, value]) => metadata.labels?.[key] === value) ||
  metadata.annotations?.["meta.helm.sh/release-name"] === "ebb";
