import { checkApis, checkVersionAndNodes } from "./check-apis.ts";
import { checkClocks } from "./check-clocks.ts";
import { checkDns } from "./check-dns.ts";
import { checkPermissions, checkPods, checkReach } from "./check-installation.ts";
import { checkLeftoverWebhooks, checkOwners } from "./check-owners.ts";
import { checkWebhooks } from "./check-webhooks.ts";
import { problem, type Check, type DoctorDeps, type Finding } from "./finding.ts";

const checks: readonly (readonly [subject: string, check: Check])[] = [
  ["version and nodes", checkVersionAndNodes],
  ["clocks", checkClocks],
  ["owners of the kinds", checkOwners],
  ["controller and router", checkPods],
  ["permissions", checkPermissions],
  ["admission webhooks", checkWebhooks],
  ["other webhooks", checkLeftoverWebhooks],
  ["APIs", checkApis],
  ["names", checkDns],
  ["reaching services", checkReach],
];

/** Looks at everything, one after another; what cannot be looked at is told as a problem, and the rest goes on. */
export async function* examine(deps: DoctorDeps): AsyncGenerator<Finding> {
  for (const [subject, check] of checks) {
    deps.signal.throwIfAborted();
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
