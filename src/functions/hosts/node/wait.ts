/**
 * The Node host in an image of its own, for clusters: a pod that belongs to nobody until a claim brings it a function.
 */
import { say } from "./say.ts";
import { waitForClaim } from "./wait-for-claim.ts";

const usage =
  "usage: node wait.cjs wait [--port 8080] [--claim-port 9440] [--app /app] [--token /var/run/secrets/ebb-host/token]";

async function main([command, ...args]: readonly string[]): Promise<void> {
  try {
    if (command !== "wait") throw new Error(usage);
    await waitForClaim(args);
  } catch (error) {
    say(error);
    process.exit(1);
  }
}

void main(process.argv.slice(2));
