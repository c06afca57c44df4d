import { foreignCrds } from "../apply/check-cluster.ts";
import { currentInstallation } from "../apply/current-installation.ts";
import { checkApis, checkVersionAndNodes } from "./check-apis.ts";
import { checkCertificates } from "./check-certificates.ts";
import { checkClocks } from "./check-clocks.ts";
import { checkDns } from "./check-dns.ts";
import { checkPermissions, checkPods, checkReach } from "./check-installation.ts";
import { checkLeftoverWebhooks, checkOwners } from "./check-owners.ts";
import { checkWebhooks } from "./check-webhooks.ts";
import { fine, problem, type Check, type DoctorDeps, type Finding } from "./finding.ts";

const checks: readonly (readonly [subject: string, check: Check])[] = [
  ["version and nodes", checkVersionAndNodes],
  ["clocks", checkClocks],
  ["owners of the kinds", checkOwners],
  ["controller and router", checkPods],
  ["permissions", checkPermissions],
  ["admission webhooks", checkWebhooks],
  ["other webhooks", checkLeftoverWebhooks],
  ["APIs", checkApis],
  ["certificates", checkCertificates],
  ["names", checkDns],
  ["reaching services", checkReach],
];

/** What is not looked at where ebb only deploys to somebody else's Serving. */
const ofAnInstallation: ReadonlySet<Check> = new Set([
  checkOwners,
  checkPods,
  checkPermissions,
  checkWebhooks,
  checkApis,
  checkCertificates,
  checkReach,
]);

/** Looks at everything, one after another; what cannot be looked at is told as a problem, and the rest goes on. */
export async function* examine(deps: DoctorDeps): AsyncGenerator<Finding> {
  const isGuest = await servedByOthers(deps.client);
  if (isGuest) yield fine("Serving is somebody else's, such as Knative's; ebb deploys to it (--serving=existing)");
  for (const [subject, check] of checks) {
    deps.signal.throwIfAborted();
    if (isGuest && ofAnInstallation.has(check)) continue;
    try {
      yield* await check(deps);
    } catch (error) {
      deps.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      yield problem(
        `${subject}: ${why}`,
        "whoever examines a cluster must be able to read it; run it as its administrator",
      );
    }
  }
}

/** Whether the kinds are others' and no ebb is installed; what cannot be asked is told by the checks themselves. */
async function servedByOthers(client: DoctorDeps["client"]): Promise<boolean> {
  try {
    const foreign = await foreignCrds(client);
    return foreign.includes("services.serving.knative.dev") && !(await currentInstallation(client));
  } catch {
    return false;
  }
}
