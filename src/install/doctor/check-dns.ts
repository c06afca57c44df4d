import { PodKind } from "../../api/core/kinds.ts";
import { Writable } from "node:stream";
import { isApiError } from "../../api/meta/errors.ts";
import { execInPod } from "../../client/pod-exec.ts";
import { isReady } from "../apply/explain-pods.ts";
import { systemNamespace } from "../names.ts";
import { selectorOf } from "../workloads/make-deployment.ts";
import { fine, hint, problem, type Check } from "./finding.ts";

const name = "kubernetes.default.svc.cluster.local";
const program = `require("node:dns").lookup(${JSON.stringify(name)}, (error) => { if (error) console.log(error.code); process.exit(error ? 1 : 0); })`;

/** Has a router look a name up that every cluster has. */
export const checkDns: Check = async ({ client, signal }) => {
  const labelSelector = Object.entries(selectorOf("router"))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items } = await client.list(PodKind, { namespace: systemNamespace, labelSelector });
  const pod = items.find(isReady);
  if (!pod) return [];
  let said = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk);
      done();
    },
  });
  try {
    const code = await execInPod(client, {
      namespace: systemNamespace,
      pod: pod.metadata.name,
      container: "router",
      command: ["/usr/local/bin/node", "-e", program],
      stdout,
      stderr: stdout,
      signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
    });
    if (code === 0) return [fine("pods find names of the cluster")];
    return [
      problem(
        `pods do not find ${name} (${said.trim()})`,
        'the cluster\'s DNS does not answer: "kubectl -n kube-system get pods -l k8s-app=kube-dns", and whether the domain is cluster.local',
      ),
    ];
  } catch (error) {
    if (isApiError(error) && error.code === 403)
      return [hint("whether pods find names could not be looked at", "it takes the permission to create pods/exec")];
    throw error;
  }
};
