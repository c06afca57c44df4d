import { DeploymentKind } from "../../api/apps/kinds.ts";
import { SubjectAccessReviewKind } from "../../api/authorization/kinds.ts";
import { ConfigMapKind, ServiceKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import { missingOf, reasonsOf } from "../apply/wait-for-deployment.ts";
import { components, nameOf, systemNamespace, type Component } from "../names.ts";
import { grantsOf, type Permission } from "../rbac/permissions.ts";
import { fine, hint, problem, type Check, type DoctorDeps, type Finding } from "./finding.ts";

/** Whether controller and router run, and why not. */
export const checkPods: Check = async ({ client }) => {
  const found: Finding[] = [];
  for (const component of [...components, "events" as const]) {
    const name = nameOf(component);
    try {
      const deployment = await client.get(DeploymentKind, { namespace: systemNamespace, name });
      const missing = missingOf(deployment);
      if (deployment.spec.replicas === 0) {
        found.push(
          problem(`${name} was scaled to 0`, `"kubectl -n ${systemNamespace} scale deployment ${name} --replicas 1"`),
        );
        continue;
      }
      if (missing === undefined) {
        found.push(fine(`${name}: ${deployment.spec.replicas ?? 1} ready`));
        continue;
      }
      const reasons = await reasonsOf(client, component, deployment);
      const what = `${name}: ${[missing, ...reasons].join("; ")}`;
      found.push(problem(what, reasons.some(isPull) ? pullAdvice : `"kubectl -n ${systemNamespace} describe pods"`));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (component === "events")
        found.push(hint("events are not served: Brokers, Triggers and sources stay as they are", eventsAdvice));
      else found.push(problem(`${name} is not installed`, '"ebb install" installs it'));
    }
  }
  return found;
};

const eventsAdvice = '"ebb install --events own" brings NATS and ebb-events, if you want them';

const isPull = (reason: string): boolean => /ImagePull|pull and unpack|InvalidImageName/.test(reason);
const pullAdvice =
  "nodes cannot pull the image: check its name, that nodes reach the registry under it, and its login (--pull-secret)";

/** Asks the API server about each permission of ebb's ServiceAccounts; a changed role shows here. */
export const checkPermissions: Check = async (deps) => {
  const events = await deps.client
    .get(DeploymentKind, { namespace: systemNamespace, name: nameOf("events") })
    .catch(() => undefined);
  const asked = grantsOf(events !== undefined).flatMap(({ component, namespace, permissions }) =>
    permissions.flatMap((permission) =>
      permission.resources.map((resource) => ({ component, namespace, permission, resource })),
    ),
  );
  const denied: string[] = [];
  await Promise.all(
    asked.map(async ({ component, namespace, permission, resource }) => {
      if (await isAllowed(deps, { component, resource, permission, ...(namespace ? { namespace } : {}) })) return;
      denied.push(`${nameOf(component)} may not ${permission.verbs.at(-1)} ${resource} to ${permission.why}`);
    }),
  );
  if (denied.length === 0) return [fine("ebb has the permissions it needs")];
  return denied.map((what) => problem(what, '"ebb install" restores its roles'));
};

interface Asked {
  readonly component: Component;
  readonly namespace?: string;
  readonly resource: string;
  readonly permission: Permission;
}

async function isAllowed({ client }: DoctorDeps, { component, namespace, resource, permission }: Asked) {
  const [name = "", subresource] = resource.split("/");
  const account = `system:serviceaccount:${systemNamespace}:${nameOf(component)}`;
  const [objectName] = permission.names ?? [];
  const review = await client.create(SubjectAccessReviewKind, {
    metadata: {},
    spec: {
      user: account,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${systemNamespace}`, "system:authenticated"],
      resourceAttributes: {
        group: permission.group,
        resource: name,
        verb: permission.verbs.at(-1) ?? "",
        ...(namespace === undefined ? {} : { namespace }),
        ...(subresource === undefined ? {} : { subresource }),
        ...(objectName === undefined ? {} : { name: objectName }),
      },
    },
  } as never);
  return review.status?.allowed === true;
}

/** Whether users reach what they deploy: the router's address, the domain, Revisions that cannot start. */
export const checkReach: Check = async ({ client }) => {
  const found: Finding[] = [];
  const service = await client
    .get(ServiceKind, { namespace: systemNamespace, name: nameOf("router") })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (service?.spec.type === "LoadBalancer" && (service.status?.loadBalancer?.ingress ?? []).length === 0)
    found.push(
      hint(
        "the router has no address from outside: nobody gives one to its Service of type LoadBalancer",
        "install a load balancer (MetalLB, your cloud's), or choose --service-type NodePort",
      ),
    );
  const domains = await client
    .get(ConfigMapKind, { namespace: servingNamespace, name: "config-domain" })
    .then(({ data = {} }) => Object.keys(data).filter((name) => name !== "_example"))
    .catch(() => []);
  if (domains.length === 0)
    found.push(
      hint(
        "services are reachable from inside the cluster only: there is no domain",
        '"ebb install --domain NAME" sets one',
      ),
    );
  const { items } = await client.list(RevisionKind).catch(() => ({ items: [] }));
  const stuck = items.filter(({ status }) =>
    status?.conditions?.some(
      ({ type, status: is, reason = "" }) => type === "Ready" && is === "False" && reason !== "NoTraffic",
    ),
  );
  for (const { metadata, status } of stuck.slice(0, 5)) {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    found.push(
      hint(
        `revision ${metadata.namespace}/${metadata.name} does not start: ${ready?.reason}: ${ready?.message ?? ""}`,
        `"ebb describe" its service`,
      ),
    );
  }
  if (stuck.length > 5)
    found.push(hint(`${stuck.length - 5} more revisions do not start`, '"kubectl get revisions -A"'));
  return found.length > 0 ? found : [fine("services have an address and a domain")];
};
