import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/**
 * Faults that need hands on the cluster's machines. Each variable holds a shell command; a fault whose command is not
 * given is skipped, and listed as not tested.
 */
export const faultHands = [
  { variable: "EBB_TEST_STOP_KUBELET", what: "the kubelet stops (with EBB_TEST_START_KUBELET)" },
  { variable: "EBB_TEST_START_KUBELET", what: "the kubelet starts again (with EBB_TEST_STOP_KUBELET)" },
  { variable: "EBB_TEST_STOP_ETCD", what: "etcd stops for 30 s (with EBB_TEST_START_ETCD)" },
  { variable: "EBB_TEST_START_ETCD", what: "etcd goes on (with EBB_TEST_STOP_ETCD)" },
  { variable: "EBB_TEST_STOP_APISERVER", what: "the API server stops for 60 s (with EBB_TEST_START_APISERVER)" },
  { variable: "EBB_TEST_START_APISERVER", what: "the API server goes on (with EBB_TEST_STOP_APISERVER)" },
  { variable: "EBB_TEST_LOST_NODE", what: "which node is lost (with EBB_TEST_LOSE_NODE)" },
  {
    variable: "EBB_TEST_LOSE_NODE",
    what: "a node is lost all at once (with EBB_TEST_LOST_NODE, EBB_TEST_RETURN_NODE)",
  },
  { variable: "EBB_TEST_RETURN_NODE", what: "a lost node is back (with EBB_TEST_LOSE_NODE)" },
  { variable: "EBB_TEST_FREEZE_POD", what: "a dispatcher stands still (with EBB_TEST_THAW_POD)" },
  { variable: "EBB_TEST_THAW_POD", what: "a dispatcher goes on (with EBB_TEST_FREEZE_POD)" },
] as const;

export type FaultHand = (typeof faultHands)[number]["variable"];

export const hasHands = (...hands: readonly FaultHand[]): boolean => hands.every((hand) => process.env[hand]);

/** Runs the command of a variable to its end, `env` with it; throws with what it said when it fails. */
export async function lay(hand: FaultHand, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const command = process.env[hand];
  if (!command) throw new Error(`${hand} is not set`);
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  // A daemon it starts may keep the pipes: the end of the shell is what counts.
  const said = Promise.race([Promise.all([text(child.stdout), text(child.stderr)]), ended.then(() => ["", ""])]);
  const code = await ended;
  child.stdout.destroy();
  child.stderr.destroy();
  if (code !== 0) throw new Error(`${hand} (${command}) ended with ${code}: ${(await said).join("")}`);
}
