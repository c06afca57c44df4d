import { DeploymentKind } from "../../api/apps/kinds.ts";
import { NamespaceKind } from "../../api/core/kinds.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { CommandError } from "../command.ts";
import { notInstalled } from "../not-installed.ts";

export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/**
 * What would make a deployment fail, found out before anything is built: Serving's kinds are not served, the namespace
 * is not there or goes, the user may not do what is needed. Throws a CommandError that says what to do.
 */
export async function checkCluster(
  client: HttpClient,
  namespaces: readonly string[],
  needed: readonly Permission[],
): Promise<void> {
  await requireServing(client);
  for (const namespace of new Set(namespaces)) {
    await requireNamespace(client, namespace);
    await Promise.all(needed.map((permission) => requirePermission(client, namespace, permission)));
  }
}

async function requireServing(client: HttpClient): Promise<void> {
  try {
    const answer = await client.raw("/apis/serving.knative.dev/v1");
    await answer.body.dump();
  } catch (error) {
    throw isNotFound(error) ? notInstalled(client) : error;
  }
}

/** The Deployments of ebb's and of upstream's controller. */
const controllers = [
  { namespace: "ebb-system", name: "ebb-controller" },
  { namespace: "knative-serving", name: "controller" },
] as const;

/**
 * A line for whoever deploys where the kinds are served and nobody seems to act on them, as after `ebb uninstall`;
 * undefined where somebody does, or this user may not look.
 */
export async function nobodyServes(client: HttpClient): Promise<string | undefined> {
  const answer = await client.raw("/version");
  const { gitVersion = "" } = (await answer.body.json()) as { readonly gitVersion?: string };
  // A standalone ebb is its own controller.
  if (gitVersion.endsWith("-ebb")) return undefined;
  const missing = await Promise.all(controllers.map((key) => isMissing(client, key)));
  if (!missing.every(Boolean)) return undefined;
  return `warning: Serving's kinds are there, but neither ebb nor Knative Serving seems to run at ${client.config.server}; "ebb install" brings ebb back`;
}

async function isMissing(client: HttpClient, key: (typeof controllers)[number]): Promise<boolean> {
  try {
    await client.get(DeploymentKind, key);
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isApiError(error) && error.code === 403) return false;
    throw error;
  }
}

async function requireNamespace(client: HttpClient, name: string): Promise<void> {
  try {
    const { status } = await client.get(NamespaceKind, { name });
    if (status?.phase === "Terminating") throw new CommandError(`namespace ${name} is being deleted; name another`);
  } catch (error) {
    if (isNotFound(error))
      throw new CommandError(`there is no namespace ${name}; make it with "kubectl create namespace ${name}"`);
    // Whoever may not look at namespaces may still work in one.
    if (!isApiError(error) || error.code !== 403) throw error;
  }
}

/** Asks by a SelfSubjectAccessReview, which everybody may make. */
async function requirePermission(client: HttpClient, namespace: string, { verb, group, resource }: Permission) {
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace, verb, group, resource } },
  };
  const answer = await client.raw("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    method: "POST",
    body: review,
  });
  const { status } = (await answer.body.json()) as { readonly status?: { readonly allowed?: boolean } };
  if (status?.allowed === true) return;
  const what = group === "" ? resource : `${resource}.${group}`;
  throw new CommandError(
    `you may not ${verb} ${what} in namespace ${namespace} of ${client.config.server}; ask its administrator for it, for example by a RoleBinding to the ClusterRole "edit", which ebb's kinds are part of`,
  );
}
