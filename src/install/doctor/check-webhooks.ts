import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import { isApiError } from "../../api/meta/errors.ts";
import { fine, problem, type Check } from "./finding.ts";

/**
 * Asks for a Service that every webhook must refuse, as a dry run: a denial says that the API server reaches them, and
 * another error how it does not.
 */
export const checkWebhooks: Check = async ({ client }) => {
  const draft = {
    metadata: { namespace: "default", name: "ebb-doctor" },
    spec: { template: { spec: { containers: [] } } },
  };
  const unguarded = problem(
    "Services are not checked when they are written: the admission webhooks are missing",
    '"ebb install" puts them in place',
  );
  try {
    await client.create(KnativeServiceKind, draft as never, { dryRun: true });
    return [unguarded];
  } catch (error) {
    if (!isApiError(error)) throw error;
    const { message } = error;
    if (/denied the request|validation failed|missing field/.test(message)) return [fine("admission webhooks answer")];
    if (/failed calling webhook|failed to call webhook/.test(message))
      return [problem(`the API server does not reach ebb's admission webhooks: ${message}`, adviceFor(message))];
    if (error.code === 404) return [problem("Services of Knative are not served", '"ebb install" installs them')];
    throw error;
  }
};

function adviceFor(message: string): string {
  if (/x509|certificate/.test(message))
    return "the controller writes its certificate authority into the webhooks within seconds; its log says why it cannot";
  if (/no endpoints|connection refused/.test(message))
    return 'no controller is ready: "kubectl -n ebb-system get pods" shows why';
  if (/deadline|timeout|no route|i\/o/.test(message))
    return "something between API server and pods drops packets: a firewall that lets the control plane reach nodes only at some ports (open 8443), or a NetworkPolicy";
  return '"kubectl -n ebb-system logs deployment/ebb-controller" may say more';
}
