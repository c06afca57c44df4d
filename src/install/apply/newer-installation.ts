import { ConfigMapKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import { bundleRevision } from "../bundle-revision.ts";
import { installationRecord, systemNamespace } from "../names.ts";

/** What is recorded of the ebb on the cluster when it is newer than this one, for people; else undefined. */
export async function newerInstallation(client: Client, version: string): Promise<string | undefined> {
  const { data = {} } = await client
    .get(ConfigMapKind, { namespace: systemNamespace, name: installationRecord })
    .catch((error: unknown) => {
      if (isNotFound(error)) return { data: {} };
      throw error;
    });
  return newerThan({ version, revision: bundleRevision }, data);
}

/** Versions first; two ebbs of one version, as between releases, are told apart by what they install. */
export function newerThan(
  own: { readonly version: string; readonly revision: number },
  there: Readonly<Record<string, string>>,
): string | undefined {
  const version = there["version"] ?? "";
  const revision = Number(there["revision"] ?? 0);
  const order = compareVersions(version, own.version);
  if (order < 0 || (order === 0 && !(revision > own.revision))) return undefined;
  return `${version} (installation revision ${revision}), and this is ${own.version} (${own.revision})`;
}

/** By their numbers; what follows a hyphen comes before the version itself (semver.org §11), and is not looked into. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((number, index) => number !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

function numbersOf(version: string): readonly number[] {
  const [numbers = "", before] = version.split("-", 2);
  const [major = 0, minor = 0, patch = 0] = numbers.split(".").map((text) => Number.parseInt(text, 10) || 0);
  return [major, minor, patch, before === undefined ? 1 : 0];
}
