import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callRouter, ebbProgram, run, startCommand, type CommandResult } from "./ebb-process.ts";
import type { Home, HomeOptions } from "./home.ts";

/** What the tests are told of a cluster; see docs/testing-on-a-cluster.md. */
interface ClusterSettings {
  readonly kubeconfig: string;
  /** Registry and path that this machine pushes to and the nodes pull from. */
  readonly registry: string;
  readonly pushRegistry: string | undefined;
  readonly insecure: boolean;
}

function readSettings(env: NodeJS.ProcessEnv): ClusterSettings {
  const kubeconfig = env["EBB_TEST_KUBECONFIG"] ?? env["KUBECONFIG"];
  const registry = env["EBB_TEST_REGISTRY"];
  if (!kubeconfig || !registry)
    throw new Error("tests on a cluster need KUBECONFIG and EBB_TEST_REGISTRY; see docs/testing-on-a-cluster.md");
  return {
    kubeconfig,
    registry,
    pushRegistry: env["EBB_TEST_PUSH_REGISTRY"],
    insecure: env["EBB_TEST_REGISTRY_INSECURE"] !== undefined,
  };
}

/** Commands that talk to a home, as against those about files and images here. */
const talking = new Set([
  "deploy",
  "invoke",
  "call",
  "events",
  "trigger",
  "get",
  "describe",
  "logs",
  "exec",
  "port-forward",
  "explain",
  "rollback",
  "delete",
  "doctor",
  "upgrade",
]);

/** A namespace of its own on the cluster the environment names, removed at the end with what is in it. */
export async function openClusterHome(options: HomeOptions): Promise<Home> {
  const settings = readSettings(process.env);
  const dir = await mkdtemp(join(tmpdir(), "ebb-cluster-"));
  // Bases and dependency layers are made once for all tests, as a user's machine has them.
  const data = join(tmpdir(), `ebb-cluster-data-${process.getuid?.() ?? 0}`);
  await mkdir(data, { recursive: true });
  await options.prepare?.(data);
  const suffix = `${process.pid.toString(36)}${randomBytes(2).toString("hex")}`;
  const made: string[] = [];
  const admin = kubectlWith(settings.kubeconfig, dir);
  const createNamespace = async (name: string): Promise<string> => {
    const full = `${name}-${suffix}`;
    await succeed(admin(["create", "namespace", full]));
    await succeed(admin(["label", "namespace", full, "ebb.dev/end-to-end=true"]));
    made.push(full);
    return full;
  };
  const namespace = await createNamespace("e2e");
  const kubeconfig = join(dir, "kubeconfig");
  await writeFile(kubeconfig, await succeed(admin(["config", "view", "--raw", "--minify", "--flatten"])), {
    mode: 0o600,
  });
  await succeed(kubectlWith(kubeconfig, dir)(["config", "set-context", "--current", `--namespace=${namespace}`]));
  const [routerUrl, domain] = [await routerUrlOf(admin), await domainOf(admin)];
  const kubectl = kubectlWith(kubeconfig, dir);
  return {
    kind: "cluster",
    dir,
    namespace,
    kubeconfig,
    routerUrl,
    host: (service, of = namespace) => `${service}.${of}.${domain}`,
    createNamespace,
    ebb: (...args) =>
      run(process.execPath, [ebbProgram, ...flagged(settings, kubeconfig, args)], {
        env: { ...process.env, EBB_DATA: data },
      }),
    start: (args, signal) =>
      startCommand(flagged(settings, kubeconfig, args), { ...process.env, EBB_DATA: data }, signal),
    kubectl,
    call: (host, call) => callRouter(routerUrl, host, call ?? {}),
    async close() {
      for (const name of made) await admin(["delete", "namespace", name, "--wait=false"]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The words of a command with what names the cluster and, for a deployment, the registry. */
function flagged(settings: ClusterSettings, kubeconfig: string, args: readonly string[]): readonly string[] {
  const [name = "", ...rest] = args;
  if (!talking.has(name) || rest.includes("--kubeconfig")) return args;
  const named = rest.some((word) => word === "--push" || word === "--registry");
  const registry = [
    "--registry",
    settings.registry,
    ...(settings.pushRegistry === undefined ? [] : ["--push-registry", settings.pushRegistry]),
    ...(settings.insecure ? ["--insecure"] : []),
  ];
  const added = ["--kubeconfig", kubeconfig, ...(name === "deploy" && !named ? registry : [])];
  // Before what stands behind --, which is a command's own.
  const end = rest.includes("--") ? rest.indexOf("--") : rest.length;
  return [name, ...rest.slice(0, end), ...added, ...rest.slice(end)];
}

function kubectlWith(kubeconfig: string, dir: string): Home["kubectl"] {
  return (args, options) =>
    run(options?.program ?? "kubectl", ["--cache-dir", join(dir, "kube-cache"), ...args], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      ...(options?.stdin === undefined ? {} : { stdin: options.stdin }),
    });
}

async function succeed(running: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`kubectl ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** EBB_TEST_ROUTER_URL, else the load balancer, else the node port at the first node. */
async function routerUrlOf(kubectl: Home["kubectl"]): Promise<string> {
  const given = process.env["EBB_TEST_ROUTER_URL"];
  if (given !== undefined) return given;
  const service = JSON.parse(
    await succeed(kubectl(["get", "service", "-n", "ebb-system", "ebb-router", "-o", "json"])),
  );
  const [balanced] = service.status?.loadBalancer?.ingress ?? [];
  if (balanced) return `http://${balanced.ip ?? balanced.hostname}`;
  const nodePort = service.spec.ports.find((port: { port: number }) => port.port === 80)?.nodePort;
  const nodes = JSON.parse(await succeed(kubectl(["get", "nodes", "-o", "json"])));
  const address = nodes.items[0]?.status.addresses.find((one: { type: string }) => one.type === "InternalIP")?.address;
  if (!nodePort || !address) throw new Error("the router has no address; name one with EBB_TEST_ROUTER_URL");
  return `http://${address}:${nodePort}`;
}

/** The domain of config-domain that all Services get. */
async function domainOf(kubectl: Home["kubectl"]): Promise<string> {
  const given = process.env["EBB_TEST_DOMAIN"];
  if (given !== undefined) return given;
  const path = ["get", "configmap", "-n", "knative-serving", "config-domain", "-o", "json"];
  const { data = {} } = JSON.parse(await succeed(kubectl(path))) as {
    readonly data?: Readonly<Record<string, string>>;
  };
  const [domain] = Object.entries(data).find(([name, text]) => name !== "_example" && text.trim() === "") ?? [];
  if (domain === undefined) throw new Error("config-domain names no domain for all; name one with EBB_TEST_DOMAIN");
  return domain;
}
