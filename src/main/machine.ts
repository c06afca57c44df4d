import { readFileSync } from "node:fs";
import { arch, availableParallelism, hostname, platform, release, totalmem } from "node:os";
import type { NodeAgentOptions } from "../node/create-node-agent.ts";

/** A small program's share of memory; 110 pods, a kubelet's default, are taken in any case. */
const podBytes = 48 * 2 ** 20;

/** What this machine is, as its Node object says it. */
export function readMachine(version: string): NodeAgentOptions["machine"] {
  const goArch: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "arm", ia32: "386" };
  return {
    name: nodeName(hostname()),
    hostIP: "127.0.0.1",
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    platform: platform(),
    arch: goArch[arch()] ?? arch(),
    kernelVersion: release(),
    osImage: osName(),
    machineId: firstLine("/etc/machine-id"),
    bootId: firstLine("/proc/sys/kernel/random/boot_id"),
    version,
    maxPods: Math.max(110, Math.floor(totalmem() / podBytes)),
  };
}

/** A host name as a node name: lower case, and `localhost` when nothing of it can be used. */
function nodeName(host: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .replace(/[^a-z0-9]+$/, "");
  return name === "" ? "localhost" : name.slice(0, 63);
}

function osName(): string {
  const line = readText("/etc/os-release")
    .split("\n")
    .find((l) => l.startsWith("PRETTY_NAME="));
  return line ? line.slice("PRETTY_NAME=".length).replaceAll('"', "") : platform();
}

const firstLine = (file: string): string => readText(file).split("\n", 1)[0] ?? "";

/** Empty where the system has no such file: these facts are for show. */
function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
